/** How does a table follow a list? Rows are kept by id, so that what has the focus keeps it. */

export class Rows {
  #rows = new Map();

  /** `make(item)` returns a row: `{node, paint(item)}`. Items have an `id`. */
  constructor(body, make) {
    this.body = body;
    this.make = make;
  }

  /** Show exactly these items, in this order. */
  show(items) {
    const wanted = new Set(items.map(({id}) => id));
    for (const [id, row] of this.#rows) {
      if (wanted.has(id)) continue;
      row.node.remove();
      this.#rows.delete(id);
    }
    for (const [index, item] of items.entries()) this.#put(item, index);
  }

  get size() {
    return this.#rows.size;
  }

  #put(item, index) {
    if (!this.#rows.has(item.id)) this.#rows.set(item.id, this.make(item));
    const row = this.#rows.get(item.id);
    row.paint(item);
    const there = this.body.children[index] ?? null;
    if (there !== row.node) this.body.insertBefore(row.node, there);
  }
}
