/** Whose money is it? The switch between demo and live, and the frame that says so everywhere. */

import {recall, remember} from "../memory.js";

export const ENVIRONMENTS = ["demo", "live"];
const WORDS = {
  demo: ["Demo", "Play money: nothing here is real."],
  live: ["Live", "Real money: every order counts."],
};

export class EnvironmentSwitch {
  /** `onChoose(environment)` is called when it is another one. */
  constructor(find, {onChoose}) {
    this.find = find;
    this.onChoose = onChoose;
    this.#show(recall("environment", ENVIRONMENTS));
    for (const name of ENVIRONMENTS) {
      find(`environment-${name}`).addEventListener("change", () => this.choose(name));
    }
  }

  choose(environment) {
    if (environment === this.chosen) return;
    remember("environment", environment);
    this.#show(environment);
    this.onChoose(environment);
  }

  #show(environment) {
    this.chosen = environment;
    const [word, meaning] = WORDS[environment];
    document.body.dataset.environment = environment;
    this.find(`environment-${environment}`).checked = true;
    this.find("environment-words").textContent = meaning;
    this.find("ticket-environment").textContent = word;
    this.find("strip-environment").textContent = word;
  }
}
