// The honest dot: where to draw the courier between fixes, and how sure to look about it. Pure: no DOM, no clock.
//
//   fix ──glide──> fix ──glide──> fix ····guess (hollow, at most 15 s)····> stop (grey, with its age)
//
// It glides to each fix in about the time the courier took, so it lags by one fix and has nothing to take back. Only when
// the next fix is overdue does it guess ahead along the last heading. It never slides backwards: a guess that overshot waits
// for the courier to catch up, and what cannot be reached at a believable speed is faded to, not run to.
import type { Position } from "./protocol.ts";

export const FRESH_MS = 8_000;
export const GUESS_MS = 15_000;
/** Worse than this the accuracy is drawn as a ring. */
const RING_FROM_M = 30;
const GLIDE_MIN_MS = 400;
const GLIDE_MAX_MS = 6_000;
/** No courier is faster (200 km/h); a fix that says so waits for a second one that agrees. */
const UNBELIEVABLE_MPS = 55;
/** Below this a phone is standing, and its heading is noise. */
const STANDING_MPS = 1;
const M_PER_DEGREE = 111_320;
/** From the middle of a cell to its corner, in widths of the cell: the courier is somewhere within. */
const CORNER = Math.SQRT1_2;

export interface DotView {
  lat: number;
  lon: number;
  heading: number | null;
  state: "fresh" | "estimated" | "old";
  ageMs: number;
  /** Radius to draw, or null when the fix is good enough to be a point. */
  ringM: number | null;
  /** Grows by one each time the dot must be faded to its place instead of moved there. */
  leaps: number;
  /** Nothing will change until the next fix: no need to draw again. */
  still: boolean;
}

interface Point { lat: number; lon: number }
interface Fix extends Point { at: number; speed: number; heading: number | null; accuracy: number }

const metres = (from: Point, to: Point): { east: number; north: number } => ({
  east: (to.lon - from.lon) * M_PER_DEGREE * Math.cos((from.lat * Math.PI) / 180),
  north: (to.lat - from.lat) * M_PER_DEGREE,
});
const length = (v: { east: number; north: number }) => Math.hypot(v.east, v.north);
const bearing = (v: { east: number; north: number }) => ((Math.atan2(v.east, v.north) * 180) / Math.PI + 360) % 360;
const turn = (from: number, to: number) => ((to - from + 540) % 360) - 180;
const clamp = (x: number, low: number, high: number) => Math.min(high, Math.max(low, x));

function ahead(from: Point, heading: number, distance: number): Point {
  const radians = (heading * Math.PI) / 180;
  return {
    lat: from.lat + (Math.cos(radians) * distance) / M_PER_DEGREE,
    lon: from.lon + (Math.sin(radians) * distance) / (M_PER_DEGREE * Math.cos((from.lat * Math.PI) / 180)),
  };
}

export class Dot {
  readonly #reducedMotion: () => boolean;
  #fix: Fix | null = null;
  #suspect: Fix | null = null;
  #from: Point = { lat: 0, lon: 0 };
  #to: Point = { lat: 0, lon: 0 };
  #headingFrom: number | null = null;
  #headingTo: number | null = null;
  #start = 0;
  #end = 0;
  #leaps = 0;

  constructor(reducedMotion: () => boolean = () => false) {
    this.#reducedMotion = reducedMotion;
  }

  forget(): void {
    this.#fix = null;
    this.#suspect = null;
  }

  /** Takes a fix; false when it was older than what is known, or an outlier nobody has confirmed yet. */
  report(position: Position, now: number): boolean {
    const fix: Fix = {
      lat: position.lat, lon: position.lon, at: Date.parse(position.recorded_at),
      speed: position.speed_mps ?? 0, heading: position.heading_deg ?? null,
      accuracy: position.accuracy_m ?? (position.rounded_m ?? 0) * CORNER,
    };
    const last = this.#fix;
    if (last === null) {
      this.#leapTo(fix, now);
      return true;
    }
    if (fix.at <= last.at) return false;
    if (unbelievable(last, fix) && !(this.#suspect !== null && !unbelievable(this.#suspect, fix))) {
      this.#suspect = fix;
      return false;
    }
    const shown = this.at(now)!;
    const interval = clamp(fix.at - last.at, GLIDE_MIN_MS, GLIDE_MAX_MS);
    this.#suspect = null;
    this.#fix = fix;
    const way = metres(shown, fix);
    const heading = this.#headingAt(fix, way);
    if (this.#reducedMotion()) this.#settle(fix, heading, now);
    else if (isBehind(shown, way, heading)) this.#waitOrLeap(shown, fix, way, heading, now);
    else if (length(way) > believable(fix, last, interval)) this.#leapTo(fix, now);
    else this.#glide(shown, fix, shown.heading, heading, now, interval * 1.05);
    return true;
  }

  /** Where and how to draw at a moment of the server's clock, or null before the first fix. */
  at(now: number): DotView | null {
    const fix = this.#fix;
    if (fix === null) return null;
    const ageMs = Math.max(0, now - fix.at);
    const gliding = now < this.#end;
    const part = gliding ? clamp((now - this.#start) / (this.#end - this.#start), 0, 1) : 1;
    let place: Point = {
      lat: this.#from.lat + (this.#to.lat - this.#from.lat) * part,
      lon: this.#from.lon + (this.#to.lon - this.#from.lon) * part,
    };
    const guesses = this.#headingTo !== null && fix.speed >= STANDING_MPS && !this.#reducedMotion();
    if (!gliding && guesses && ageMs > FRESH_MS) {
      const since = Math.max(this.#end, fix.at + FRESH_MS);
      const until = Math.min(now, fix.at + GUESS_MS);
      if (until > since) place = ahead(place, this.#headingTo!, (fix.speed * (until - since)) / 1000);
    }
    return {
      ...place,
      heading: this.#heading(part),
      state: ageMs <= FRESH_MS ? "fresh" : ageMs <= GUESS_MS ? "estimated" : "old",
      ageMs,
      ringM: fix.accuracy > RING_FROM_M ? fix.accuracy : null,
      leaps: this.#leaps,
      still: !gliding && (!guesses || ageMs > GUESS_MS),
    };
  }

  // The turn is done in the first part of the way: a vehicle turns at the corner, not all along the street.
  #heading(part: number): number | null {
    if (this.#headingTo === null || this.#headingFrom === null) return this.#headingTo;
    const turned = Math.min(1, part * 2.5);
    return (this.#headingFrom + turn(this.#headingFrom, this.#headingTo) * turned + 360) % 360;
  }

  #headingAt(fix: Fix, way: { east: number; north: number }): number | null {
    if (fix.heading !== null && (fix.speed >= STANDING_MPS || this.#headingTo === null)) return fix.heading;
    return length(way) > 8 ? bearing(way) : this.#headingTo;
  }

  #glide(from: Point, to: Point, headingFrom: number | null, headingTo: number | null, now: number, duration: number): void {
    this.#from = { lat: from.lat, lon: from.lon };
    this.#to = { lat: to.lat, lon: to.lon };
    this.#headingFrom = headingFrom;
    this.#headingTo = headingTo;
    this.#start = now;
    this.#end = now + duration;
  }

  #settle(at: Point, heading: number | null, now: number): void {
    this.#glide(at, at, heading, heading, now, 0);
  }

  // What was guessed too far stays where it is until the courier gets there. More than a guess can explain is a leap.
  #waitOrLeap(shown: DotView, fix: Fix, way: { east: number; north: number }, heading: number | null, now: number): void {
    const guessed = (fix.speed * (GUESS_MS - FRESH_MS)) / 1000;
    if (length(way) > Math.max(40, guessed + 15)) this.#leapTo(fix, now);
    else this.#settle(shown, heading, now);
  }

  #leapTo(fix: Fix, now: number): void {
    if (this.#fix !== null) this.#leaps++;
    this.#fix = fix;
    this.#settle(fix, fix.heading, now);
  }
}

function unbelievable(from: Fix, to: Fix): boolean {
  const distance = length(metres(from, to));
  const seconds = Math.max(0.5, (to.at - from.at) / 1000);
  return distance > 100 + from.accuracy + to.accuracy && distance / seconds > UNBELIEVABLE_MPS;
}

/** As far as a dot may be seen to run: up to about twice the courier's own speed. */
function believable(fix: Fix, last: Fix, interval: number): number {
  return Math.max(60, 2 * Math.max(fix.speed, last.speed, 8) * (interval / 1000));
}

function isBehind(shown: DotView, way: { east: number; north: number }, heading: number | null): boolean {
  if (shown.heading === null || heading === null || length(way) < 1) return false;
  // Somebody who turned round is not behind but on the way back.
  if (Math.abs(turn(shown.heading, heading)) > 90) return false;
  return Math.abs(turn(shown.heading, bearing(way))) > 100;
}
