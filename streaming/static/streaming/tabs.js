/** Which of several panels is shown? Tabs as screen readers and keyboards know them. */

const STEPS = {ArrowLeft: -1, ArrowRight: 1};

export class Tabs {
  /** `tabs` are buttons with `aria-controls`; `onChoose(id)` is told of the panel that is shown. */
  constructor(tabs, {find, onChoose = () => {}}) {
    this.tabs = tabs;
    this.find = find;
    this.onChoose = onChoose;
    for (const tab of tabs) {
      tab.addEventListener("click", () => this.choose(tab.getAttribute("aria-controls")));
      tab.addEventListener("keydown", (event) => this.#pressed(event, tab));
    }
  }

  choose(id) {
    for (const tab of this.tabs) {
      const panel = tab.getAttribute("aria-controls");
      const isChosen = panel === id;
      tab.setAttribute("aria-selected", String(isChosen));
      tab.tabIndex = isChosen ? 0 : -1;
      this.find(panel).dataset.shown = String(isChosen);
    }
    this.onChoose(id);
  }

  #pressed(event, tab) {
    const step = STEPS[event.key];
    if (step === undefined) return;
    const next = this.tabs[(this.tabs.indexOf(tab) + step + this.tabs.length) % this.tabs.length];
    event.preventDefault();
    this.choose(next.getAttribute("aria-controls"));
    next.focus();
  }
}
