/** The chosen product above its chart: both prices large, spread, change, state; and the page's title. */

import {DataCell, PriceCell, TextCell} from "./cells.js";
import {change, spreadPoints} from "./format.js";

export class Headline {
  #name = null;

  /** `find(id)` returns the page's element of that id. */
  constructor(find, {lights}) {
    this.name = new TextCell(find("chosen-name"));
    this.title = new TextCell(find("chosen-title"));
    this.bid = new PriceCell(find("chosen-bid"), lights);
    this.ask = new PriceCell(find("chosen-ask"), lights);
    this.spread = new TextCell(find("chosen-spread"));
    this.change = new TextCell(find("chosen-change"));
    this.direction = new DataCell(find("chosen-change"), "move");
    this.badge = new TextCell(find("chosen-state"));
  }

  /** Show a product; return the title that the browser's tab should have. */
  paint(product) {
    const {name, title, quote, digits, moves, state} = product;
    if (name !== this.#name) this.#become(product);
    this.badge.set(state === "open" ? "" : state);
    if (quote === null) return `${name} · Tickwire`; // what another product had is gone already
    this.bid.set(quote.bid, digits, moves.bid);
    this.ask.set(quote.ask, digits, moves.ask);
    this.spread.set(spreadPoints(quote.bid, quote.ask));
    const [text, direction] = change(quote.mid, quote.midDayAgo);
    this.change.set(text);
    this.direction.set(direction);
    return `${quote.bid} ${title} · Tickwire`;
  }

  #become({name, label}) {
    this.#name = name;
    this.name.set(name);
    this.title.set(label);
    this.bid.forget();
    this.ask.forget();
    this.spread.set("–");
    this.change.set("–");
    this.direction.set("flat");
  }
}
