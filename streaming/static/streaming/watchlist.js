/** The list of products: how it is loaded, searched, and marked with favourites that the server keeps. */

import {readProducts} from "./market.js";
import {Sparks} from "./spark.js";
import {WatchTable} from "./watchtable.js";

export class Watchlist {
  products = new Map();
  #world;
  #find;

  /**
   * `world` has getJson, postJson, setTimer, Observer; `onLoaded(names)` is called when there are products,
   * `onSight(product)` when one comes into sight.
   */
  constructor(world, find, {lights, onChoose, onLoaded, onSight, onTrouble}) {
    this.#world = world;
    this.#find = find;
    this.onLoaded = onLoaded;
    this.onSight = onSight;
    this.onTrouble = onTrouble;
    this.table = new WatchTable(find("watch"), {onChoose, onMark: (name) => this.toggle(name), lights});
    find("search").addEventListener("input", ({target}) => this.#filter(target.value));
    find("search").addEventListener("keydown", (event) => this.#searchKey(event));
    find("watch-retry").addEventListener("click", () => this.load());
  }

  get isFailed() {
    return this.products.size === 0 && this.#find("watch-error").hidden === false;
  }

  async load() {
    this.#find("watch-error").hidden = true;
    this.#find("watch-loading").hidden = false;
    try {
      this.products = readProducts(await this.#world.getJson("/trading/products"));
    } catch (error) {
      this.#find("watch-error-words").textContent = error.message;
      this.#find("watch-error").hidden = false;
      return;
    } finally {
      this.#find("watch-loading").hidden = true;
    }
    const names = [...this.products.keys()];
    this.#find("watch-empty").hidden = names.length > 0;
    if (names.length === 0) return;
    this.table.build(this.products.values());
    this.onLoaded(names);
    this.#drawSparks();
    await this.#loadFavourites();
  }

  /** Mark a product as a favourite, or unmark it. */
  async toggle(name) {
    const favourite = !this.table.isMarked(name);
    try {
      this.#mark(await this.#world.postJson("/account/favourites", {product: name, favourite}));
    } catch (error) {
      this.onTrouble(`The favourite could not be kept. ${error.message}`);
    }
  }

  search() {
    this.#find("search").focus();
  }

  async #loadFavourites() {
    try {
      this.#mark(await this.#world.getJson("/account/favourites"));
    } catch {
      // All products are there; the next look at the page tries again.
    }
  }

  #mark({products}) {
    this.table.mark(products);
  }

  #drawSparks() {
    const {getJson, setTimer, Observer} = this.#world;
    const sparks = new Sparks({getJson, setTimer, onPrices: (name, closes) => this.table.spark(name, closes)});
    const products = this.products;
    this.table.watch(Observer, (name) => {
      sparks.want(name);
      this.onSight(products.get(name));
    });
  }

  #filter(text) {
    const count = this.table.filter(text);
    this.#find("watch-none").hidden = count > 0 || this.products.size === 0;
  }

  #searchKey(event) {
    if (event.key === "Escape") {
      event.target.value = "";
      this.#filter("");
    } else if (["ArrowUp", "ArrowDown"].includes(event.key) && this.table.go(event.key, false)) {
      event.preventDefault();
    }
  }
}
