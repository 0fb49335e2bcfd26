/** A small line of how a figure went in the last minutes. */

/** Seconds in sight: all there are, up to the second. */
export const SPAN_S = 180;
const SPAN_LEAST_S = 30;

export class Trace {
  #plot;
  #times = [];
  #values = [];

  /** `library` is uPlot's constructor, `colour(name)` reads the page's colours whenever it draws. */
  constructor(container, {library, colour}) {
    const size = () => ({width: container.clientWidth, height: container.clientHeight});
    this.#plot = new library({
      ...size(),
      padding: [2, 0, 2, 0],
      cursor: {show: false},
      legend: {show: false},
      axes: [{show: false}, {show: false}],
      scales: {
        x: {time: false, range: (plot, first, last) => [Math.min(first, last - SPAN_LEAST_S), last]},
        y: {range: (plot, least, most) => [0, Math.max(1, most * 1.15)]},
      },
      series: [{}, {stroke: () => colour("accent"), fill: () => colour("accent-ground"), width: 1.5, points: {show: false}}],
    }, [[], []], container);
    this.resize = () => this.#plot.setSize(size());
  }

  /** Add what it is now; null where nothing is known. */
  add(timeS, value) {
    this.#times.push(timeS);
    this.#values.push(value);
    while (this.#times[0] < timeS - SPAN_S) {
      this.#times.shift();
      this.#values.shift();
    }
    this.#plot.setData([this.#times, this.#values]);
  }
}
