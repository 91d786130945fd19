// The counters in the bar: how long since the server was last heard, and how many pictures the map really painted
// during the last second. When nothing moves nothing is painted, and the counter says 0.

const second = 1000;

export class Meter {
  readonly #paints: number[] = [];
  #heardAt: number | null = null;

  heard(now: number): void {
    this.#heardAt = now;
  }

  painted(now: number): void {
    this.#paints.push(now);
    this.#trim(now);
  }

  perSecond(now: number): number {
    this.#trim(now);
    return this.#paints.length;
  }

  /** Milliseconds since anything was heard; null before the first word. */
  quiet(now: number): number | null {
    return this.#heardAt === null ? null : now - this.#heardAt;
  }

  #trim(now: number): void {
    while (this.#paints[0] !== undefined && this.#paints[0] <= now - second) this.#paints.shift();
  }
}
