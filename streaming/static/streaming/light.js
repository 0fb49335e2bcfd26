/** The connection's light and words in the header, and what is read aloud of them. */

import {DataCell, TextCell} from "./cells.js";
import {connectionView, isLoggedOut} from "./connection.js";

export class Light {
  constructor(find) {
    this.find = find;
    this.light = new DataCell(document.body, "connection");
    this.text = new TextCell(find("connection-text"));
    this.detail = new TextCell(find("connection-detail"));
    this.spoken = new TextCell(find("connection-spoken"));
  }

  /** Show a state of stream.js; return the light: live, stale, waiting or closed. */
  paint(state, clocks) {
    const {light, text, detail, spoken} = connectionView(state, clocks);
    this.light.set(light);
    this.text.set(text);
    this.detail.set(detail);
    this.spoken.set(spoken);
    this.find("retry-now").hidden = state.retryAtMs === undefined;
    this.find("log-in-again").hidden = !isLoggedOut(state);
    return light;
  }
}
