// The server's clock as far as this page can know it. A phone that is minutes wrong must not make every fix look old.
export class ServerClock {
  #offset: number | null = null;

  /** Network delay only ever makes the server look earlier than it is, so the largest offset seen is the best. */
  learn(serverTime: string): void {
    const offset = Date.parse(serverTime) - Date.now();
    if (this.#offset === null || offset > this.#offset || this.#offset - offset > 5_000) this.#offset = offset;
  }

  now(): number {
    return Date.now() + (this.#offset ?? 0);
  }
}
