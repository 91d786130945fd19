// An arrival range the way people say it, that changes only when it really changes. Pure: the caller brings the clock.
import type { Eta } from "./protocol.ts";

export type EtaPhrase =
  | { kind: "overdue" }                                // it should have been here
  | { kind: "now" }                                    // any minute
  | { kind: "range"; low: number; high: number }       // in 6–9 min
  | { kind: "about"; minutes: number }                 // in about 20 min
  | { kind: "clock"; from: number; to: number };       // between 18:10 and 18:25 (epoch ms)

const MINUTE = 60_000;
const FIVE = 5 * MINUTE;
/** How far past a rounding edge, in parts of a step, an estimate must go before the words follow. */
const STICK = 0.4;

interface Minutes { low: number; high: number }

/** What would be said without a memory of what was said before. The server's narrator says the same. */
export function phrase(eta: Eta, now: number): EtaPhrase {
  const from = Date.parse(eta.low), to = Date.parse(eta.high);
  const m: Minutes = { low: (from - now) / MINUTE, high: (to - now) / MINUTE };
  const middle = (m.low + m.high) / 2;
  if (m.high < -1) return { kind: "overdue" };
  if (m.high <= 2) return { kind: "now" };
  if (middle > 60) return { kind: "clock", from: Math.floor(from / FIVE) * FIVE, to: Math.ceil(to / FIVE) * FIVE };
  if (middle >= 15 && m.high - m.low <= 10) return { kind: "about", minutes: 5 * Math.round(middle / 5) };
  if (middle >= 15) return { kind: "range", low: 5 * Math.floor(m.low / 5), high: 5 * Math.ceil(m.high / 5) };
  return { kind: "range", low: Math.max(1, Math.floor(m.low)), high: Math.ceil(m.high) };
}

/** Still true enough to leave standing: the estimate is within `STICK` of a step of everything the words say. */
function holds(said: EtaPhrase, eta: Eta, now: number): boolean {
  const low = (Date.parse(eta.low) - now) / MINUTE, high = (Date.parse(eta.high) - now) / MINUTE;
  const middle = (low + high) / 2;
  switch (said.kind) {
    case "overdue":
      return high < 0.5;
    case "now":
      return high >= -1 - STICK && high <= 2 + 2 * STICK;
    case "about":
      return Math.abs(middle - said.minutes) <= 2.5 + 5 * STICK && middle >= 15 - 5 * STICK && high - low <= 12;
    case "range": {
      const fives = said.high > 15 && said.low % 5 === 0 && said.high % 5 === 0;
      const step = fives ? 5 : 1;
      const slack = step * STICK;
      if (middle > 62 || high <= 2 - STICK) return false;
      const lowHolds = low >= said.low - slack && low < said.low + step + slack;
      return (lowHolds || (said.low === 1 && low < 1)) && high <= said.high + slack && high > said.high - step - slack;
    }
    case "clock":
      return middle > 58 && Math.abs(Date.parse(eta.low) - said.from) < FIVE * (1 + STICK) &&
        Math.abs(Date.parse(eta.high) - said.to) < FIVE * (1 + STICK);
  }
}

/** Remembers what was said last, so that an estimate wandering around a rounding edge does not flicker. */
export class SteadyEta {
  #said: EtaPhrase | null = null;

  next(eta: Eta | null, now: number): EtaPhrase | null {
    if (eta === null) this.#said = null;
    else if (this.#said === null || !holds(this.#said, eta, now)) this.#said = phrase(eta, now);
    return this.#said;
  }
}
