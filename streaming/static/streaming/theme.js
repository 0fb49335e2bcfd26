/** Dark, light, or as the system is? */

import {recall, remember} from "./memory.js";

export const THEMES = ["system", "dark", "light"];
const WORDS = {system: "Colours follow the system", dark: "Dark", light: "Light"};

export class Theme {
  /** `button` goes to the next theme; `onChange()` is called when colours are others. */
  constructor(button, {onChange}) {
    this.button = button;
    this.onChange = onChange;
    this.#show(recall("theme", THEMES));
    button.addEventListener("click", () => this.next());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => onChange());
  }

  next() {
    const theme = THEMES[(THEMES.indexOf(this.theme) + 1) % THEMES.length];
    remember("theme", theme === "system" ? "" : theme);
    this.#show(theme);
    this.onChange();
  }

  #show(theme) {
    this.theme = theme;
    const {dataset} = document.documentElement;
    if (theme === "system") delete dataset.theme;
    else dataset.theme = theme;
    this.button.dataset.theme = theme;
    this.button.setAttribute("aria-label", `Colours: ${WORDS[theme]}. Change.`);
    this.button.title = WORDS[theme];
  }
}
