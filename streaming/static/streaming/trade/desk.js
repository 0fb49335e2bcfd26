/** Trading on the page: two accounts, the ticket, the tables and the dialogs, put together. */

import {environmentOf} from "../logs.js";
import {Account} from "./account.js";
import {EditDialog, EndDialog, SplitDialog} from "./dialogs.js";
import {Dock} from "./dock.js";
import {ENVIRONMENTS, EnvironmentSwitch} from "./environment.js";
import {linesOf} from "./lines.js";
import {Sender} from "./sender.js";
import {Ticket} from "./ticket.js";
import {notice, returnWords} from "./words.js";

const KINDS = ["orders", "positions", "balances"];
const PAGE = 100;
/** What REST's refusals to follow an account mean here. */
const REFUSALS = {
  scope_denied: "This log-in may not trade or read accounts.",
  environment_denied: "This log-in may not use this account.",
};

/** All private channels, of both accounts: switching between them then costs nothing and misses nothing. */
export const ACCOUNT_CHANNELS = ENVIRONMENTS.flatMap((environment) =>
  KINDS.map((kind) => `trading:${kind}${environment === "demo" ? "_demo" : ""}`));

export class Desk {
  #world;
  #page;
  #accounts = new Map(ENVIRONMENTS.map((environment) => [environment, new Account(environment)]));
  #switch;
  #ticket;
  #dock;
  #dialogs;
  #sender;
  #terms = new Map(); // product name -> its terms, once REST has told them
  #product = null;
  #light = "waiting";

  /**
   * `world` has getJson, newId, setTimer; `page` has find, ask (the painter's), notices, products(), trade(action,
   * params, options), nowMs() and onLevels(levels).
   */
  constructor(world, page) {
    this.#world = world;
    this.#page = page;
    const {find} = page;
    this.#switch = new EnvironmentSwitch(find, {onChoose: () => this.#switched()});
    this.#dock = new Dock(find, {onAction: (name, id) => this.#act(name, id)});
    this.#ticket = new Ticket(find, {
      market: () => this.#market(), situation: () => this.#situation(), onChange: () => this.#askForTicket(),
      onSend: (params) => this.#sender.send(params, this.#isDemo), onAgain: () => this.#sender.again(),
    });
    const {getJson, newId, setTimer} = world;
    this.#sender = new Sender({getJson, newId, setTimer, trade: page.trade, onState: (state) => this.#sent(state)});
    const dialogs = {find, trade: (action, params) => page.trade(action, params, {demo: this.#isDemo})};
    this.#dialogs = {edit: new EditDialog(dialogs), split: new SplitDialog(dialogs), end: new EndDialog(dialogs)};
    this.#paintAll();
  }

  // ---- what comes in

  /** Take a private event; others are not its business. */
  event(event) {
    for (const account of this.#accounts.values()) {
      const name = account.take(event);
      if (name !== undefined) this.#happened(account, name, event);
    }
  }

  returned(back) {
    this.#page.notices.tell(returnWords(back), back.recovered ? "plain" : "warn");
  }

  /** The stream gave these channels up. */
  refused(error, channels) {
    const environment = environmentOf(channels[0]);
    if (environment === undefined) return;
    this.#accounts.get(environment).refusal = `${REFUSALS[error.code] ?? error.message}`;
    this.#paintAll();
  }

  /** The connection's light has another colour: live, stale, waiting or closed. */
  lit(light) {
    if (light === this.#light) return;
    this.#light = light;
    if (light === "live") {
      if (this.#product !== null) this.#loadTerms(this.#product);
      this.#sender.resolve();
    }
    this.#askForTicket();
  }

  /** A product's quote or state is another one. */
  moved(product) {
    if (product === this.#product) this.#askForTicket();
    if (this.#account.holds(product.name)) this.#askForOpen();
  }

  choose(product) {
    this.#product = product;
    this.#ticket.reset(product.maxLeverage);
    this.#loadTerms(product);
    this.#paintLevels();
  }

  /** What a shortcut asks of the ticket. */
  set(name, value) {
    this.#ticket.set(name, value);
  }

  // ---- what happens

  #switched() {
    // What became of an order of the other account is no news of this one; one that is being looked up still is.
    if (!this.#sender.isBusy) this.#ticket.tell({name: "idle", text: ""});
    this.#paintAll();
  }

  /** An order is on its way, or has arrived; a refusal may come from terms that the page does not know yet. */
  #sent(state) {
    this.#ticket.tell(state);
    if (state.name === "refused" && this.#product !== null) this.#loadTerms(this.#product);
  }

  #happened(account, name, {data, offset}) {
    if (name === "snapshot") this.#loadPast(account, offset);
    const told = notice({name, data});
    if (told) {
      const isShown = account === this.#account;
      this.#page.notices.tell(isShown ? told.text : `${account.environment}: ${told.text}`, told.kind);
    }
    if (account !== this.#account) return;
    this.#askForOpen();
    this.#page.ask("log", () => this.#dock.paintLog(this.#account));
    if (name === "position:close" || name === "snapshot") this.#page.ask("history", () => this.#dock.paintHistory(this.#account));
    this.#askForTicket();
    this.#paintLevels();
  }

  /** The past comes from REST, once for each snapshot: what happens after it is on the stream. */
  async #loadPast(account, offset) {
    const demo = account.environment === "demo";
    try {
      const events = await this.#world.getJson(`/trading/events?demo=${demo}&after=${Math.max(0, offset - PAGE)}&limit=${PAGE}`);
      account.pastLog(events.events);
      account.pastClosed(await this.#world.getJson(`/trading/history?demo=${demo}&limit=${PAGE}`));
    } catch (error) {
      account.pastWords = `The history could not be loaded. ${error.message}`;
      this.#page.notices.tell(`The ${account.environment} account’s history could not be loaded. ${error.message}`, "warn");
    }
    if (account === this.#account) this.#paintAll();
  }

  /** Read what a product may be traded for, each time anew: a dealer may have changed it. */
  async #loadTerms(product) {
    try {
      const found = await this.#world.getJson(`/trading/products/${product.name}`);
      this.#terms.set(product.name, {
        maxLeverage: found.max_leverage, maxSize: found.max_size.BTC, decayRate: found.decay_rate, fraction: found.liquidation_fraction,
      });
      if (product === this.#product) this.#ticket.bound(found.max_leverage);
      this.#askForTicket();
    } catch (error) {
      this.#page.notices.tell(`What ${product.name} may be traded for could not be loaded. ${error.message}`, "warn");
    }
  }

  #act(name, id) {
    const trade = this.#account.position(id) ?? this.#account.order(id);
    if (trade === undefined) return;
    const quoteOf = (product) => this.#quoteOf(product);
    if (name === "edit") this.#edit(trade);
    else if (name === "split") this.#dialogs.split.open(trade);
    else if (name === "close") this.#dialogs.end.close(trade, quoteOf);
    else this.#dialogs.end.cancel(trade);
  }

  async #edit(trade) {
    const product = this.#page.products().get(trade.product);
    await this.#loadTerms(product);
    const context = () => ({digits: product.digits, terms: this.#termsOf(product), balance: this.#account.balance});
    this.#dialogs.edit.open(trade, context);
  }

  // ---- what is painted

  #paintAll() {
    this.#askForOpen();
    this.#page.ask("log", () => this.#dock.paintLog(this.#account));
    this.#page.ask("history", () => this.#dock.paintHistory(this.#account));
    this.#askForTicket();
    this.#paintLevels();
  }

  #askForOpen() {
    this.#page.ask("open", () => {
      this.#dock.paintOpen(this.#account, (product) => this.#quoteOf(product));
      this.#dock.paintRefusal(this.#account);
      if (this.#dialogs.end.isOpen) this.#dialogs.end.paint();
    });
  }

  #askForTicket() {
    if (this.#product !== null) this.#page.ask("ticket", () => this.#ticket.paint());
  }

  #paintLevels() {
    if (this.#product !== null) this.#page.ask("levels", () => this.#page.onLevels(linesOf(this.#account, this.#product.name)));
  }

  // ---- what is known

  get #account() {
    return this.#accounts.get(this.#switch.chosen);
  }

  get #isDemo() {
    return this.#switch.chosen === "demo";
  }

  #quoteOf(product) {
    return this.#page.products().get(product)?.quote;
  }

  #market() {
    const product = this.#product;
    return {product, terms: this.#termsOf(product), quote: product.quote, balance: this.#account.balance, nowMs: this.#page.nowMs()};
  }

  /** Until REST has told more, what the list of products says. */
  #termsOf({name, maxLeverage, maxSize, decayRate}) {
    return this.#terms.get(name) ?? {maxLeverage, maxSize, decayRate};
  }

  #situation() {
    return {
      connection: this.#light, account: this.#account, product: this.#product, environment: this.#switch.chosen,
      isBusy: this.#sender.isBusy,
    };
  }
}
