/** Where each item stands, by arithmetic alone. `lead`: empty places before the first item, so that what comes in above moves the rest by whole rows. */

/** No browser scrolls much further than this; longer lists are scrolled in greater steps. */
const HEIGHT_MAX = 12000000;

/** @param {Layout} layout @param {number} width px @param {number} rem px @returns {Measures} */
export function measure(layout, width, rem) {
  if (layout === 'table') return { columns: 1, row: Math.round((width < 48 * rem ? 4 : 3.25) * rem), gap: 0, width };
  const narrow = width < 34 * rem;
  const gap = (narrow ? 0.75 : 1.25) * rem;
  const least = (narrow ? 9 : 13.5) * rem;
  const columns = Math.max(1, Math.floor((width + gap) / (least + gap)));
  const item = (width - gap * (columns - 1)) / columns;
  return { columns, row: Math.round((item * 9) / 16 + 4.25 * rem + gap), gap, width: item };
}

export class Rows {
  /** @type {Measures} */
  measures = { columns: 1, row: 1, gap: 0, width: 1 };
  total = 0;
  lead = 0;
  /** Added to how far the page is scrolled; 0 where the whole list fits. */
  base = 0;

  get rows() {
    return Math.ceil((this.total + this.lead) / this.measures.columns);
  }

  /** The height of all rows, and what of it the page really has. */
  get full() {
    return this.rows * this.measures.row;
  }

  get height() {
    return Math.min(this.full, HEIGHT_MAX);
  }

  get capped() {
    return this.full > HEIGHT_MAX;
  }

  /** @param {number} index */
  rowOf(index) {
    return Math.floor((index + this.lead) / this.measures.columns);
  }

  /** @param {number} index */
  columnOf(index) {
    return (index + this.lead) % this.measures.columns;
  }

  /** @param {number} row @param {number} column */
  indexAt(row, column) {
    return row * this.measures.columns + column - this.lead;
  }

  /** @param {number} index */
  topOf(index) {
    return this.rowOf(index) * this.measures.row;
  }

  /**
   * A scroll of a capped list: small steps move it by as much, great ones to the same part of it.
   * @param {number} scroll px beyond the list's top @param {number} before @param {number} view px in view
   */
  scrolled(scroll, before, view) {
    if (!this.capped || scroll <= 0) {
      this.base = 0;
      return;
    }
    if (scroll >= this.height - view) this.base = this.full - this.height;
    else if (Math.abs(scroll - before) > 2 * view) this.base = (scroll / (this.height - view)) * (this.full - view) - scroll;
    this.base = Math.max(-scroll, Math.min(this.base, this.full - view - scroll));
  }

  /**
   * The list's anchor went from one place to another: gives the lead by which it keeps its column, and by how many rows it moves.
   * @param {number} from with the lead of now @param {number} to
   */
  shift(from, to) {
    const { columns } = this.measures;
    const before = from + this.lead;
    this.lead = (((before - to) % columns) + columns) % columns;
    return (to + this.lead - before) / columns;
  }
}
