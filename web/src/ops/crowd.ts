// A crowd of markers as the graphics card wants it: eight numbers each, side by side, so that thousands are drawn in one go
// and glide without anything being computed for them between two fixes.
//
//   fromX fromY toX toY   start duration   icon fade          the world is 1 wide, seen from an origin among the markers
//
// A marker keeps its slot while it is in the crowd; the last one moves into the gap that another leaves.

import { glideTime, jump } from "./glide.ts";
import type { Point } from "./glide.ts";

export const stride = 8;

/** A place of the world map, 0..1 from the north-west. */
export interface Spot { x: number; y: number }

export interface Member extends Point {
  id: string;
  /** When the fix was recorded. */
  at: number;
  /** Index into iconNames. */
  icon: number;
  fade: number;
  /** Drawn above the rest. */
  above: boolean;
}

export function spotOf({ lat, lon }: Point): Spot {
  return { x: (lon + 180) / 360, y: (1 - Math.asinh(Math.tan((lat * Math.PI) / 180)) / Math.PI) / 2 };
}

function placeOf({ x, y }: Spot): Point {
  return { lat: (Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) * 180) / Math.PI, lon: x * 360 - 180 };
}

export class Crowd {
  readonly #slots = new Map<string, number>();
  readonly #ids: string[] = [];
  #ats = new Float64Array(0);
  #rounds = new Uint32Array(0);
  #round = 0;
  #began = 0;
  #until = 0;
  data = new Float32Array(0);
  origin: Spot = { x: 0, y: 0 };
  /** The slots of those drawn above the rest. */
  above: number[] = [];
  /** Grows whenever the numbers change. */
  version = 0;

  get size(): number {
    return this.#ids.length;
  }

  /** Shows exactly these from now on; `still` moves them without gliding. */
  show(members: Iterable<Member>, now: number, still: boolean): void {
    this.#round++;
    this.above = [];
    for (const member of members) {
      const slot = this.#slots.get(member.id) ?? this.#enter(member, now);
      if (this.#ats[slot] !== member.at) this.#aim(slot, member, now, still);
      const base = slot * stride;
      if (this.data[base + 6] !== member.icon || Math.abs(this.data[base + 7]! - member.fade) > 0.01) {
        this.data[base + 6] = member.icon;
        this.data[base + 7] = member.fade;
        this.version++;
      }
      this.#rounds[slot] = this.#round;
      if (member.above) this.above.push(slot);
    }
    for (let slot = this.size - 1; slot >= 0; slot--) if (this.#rounds[slot] !== this.#round) this.#leave(slot);
  }

  /** Seconds on the clock that the numbers are in. */
  clock(now: number): number {
    return (now - this.#began) / 1000;
  }

  moving(now: number): boolean {
    return now < this.#until;
  }

  /** Where one is drawn now; null for one who is not in the crowd. */
  place(id: string, now: number): Point | null {
    const slot = this.#slots.get(id);
    if (slot === undefined) return null;
    const { x, y } = this.#along(slot, this.clock(now));
    return placeOf({ x: x + this.origin.x, y: y + this.origin.y });
  }

  /** Who is drawn closest to a place, within `reach`. */
  nearest(to: Spot, reach: number, now: number): string | null {
    const at = this.clock(now);
    let found: string | null = null;
    let closest = reach;
    for (let slot = 0; slot < this.size; slot++) {
      const { x, y } = this.#along(slot, at);
      const away = Math.hypot(x + this.origin.x - to.x, y + this.origin.y - to.y);
      if (away > closest) continue;
      closest = away;
      found = this.#ids[slot]!;
    }
    return found;
  }

  #enter(member: Member, now: number): number {
    const slot = this.size;
    if (slot === 0) {
      // Single precision is millimetres around the origin, and metres at the other end of the world.
      this.origin = spotOf(member);
      this.#began = now;
    }
    this.#slots.set(member.id, slot);
    this.#ids.push(member.id);
    if (this.data.length < this.size * stride) this.#grow(this.size * 2);
    this.#ats[slot] = Number.NaN;
    this.data.fill(0, slot * stride, (slot + 1) * stride);
    return slot;
  }

  #aim(slot: number, member: Member, now: number, still: boolean): void {
    const { x, y } = spotOf(member);
    const before = this.#ats[slot]!;
    const from = this.#along(slot, this.clock(now));
    const to = { x: x - this.origin.x, y: y - this.origin.y };
    const far = Math.abs(to.x - from.x) > jump / 360 || Math.abs(to.y - from.y) > jump / 360;
    const time = still || far || Number.isNaN(before) ? 0 : glideTime(member.at - before);
    this.data.set([time ? from.x : to.x, time ? from.y : to.y, to.x, to.y, this.clock(now), time / 1000], slot * stride);
    this.#ats[slot] = member.at;
    this.#until = Math.max(this.#until, now + time);
    this.version++;
  }

  #along(slot: number, at: number): Spot {
    const [fromX, fromY, toX, toY, start, time] = this.data.subarray(slot * stride, slot * stride + 6) as unknown as number[];
    const share = time! > 0 ? Math.min(1, Math.max(0, (at - start!) / time!)) : 1;
    return { x: fromX! + (toX! - fromX!) * share, y: fromY! + (toY! - fromY!) * share };
  }

  #leave(slot: number): void {
    const last = this.size - 1;
    this.#slots.delete(this.#ids[slot]!);
    if (slot !== last) {
      const id = this.#ids[last]!;
      this.#ids[slot] = id;
      this.#slots.set(id, slot);
      this.#ats[slot] = this.#ats[last]!;
      this.#rounds[slot] = this.#rounds[last]!;
      this.data.copyWithin(slot * stride, last * stride, (last + 1) * stride);
      const above = this.above.indexOf(last);
      if (above >= 0) this.above[above] = slot;
    }
    this.#ids.pop();
    this.version++;
  }

  #grow(size: number): void {
    const { data } = this;
    const [ats, rounds] = [this.#ats, this.#rounds];
    this.data = new Float32Array(size * stride);
    this.#ats = new Float64Array(size);
    this.#rounds = new Uint32Array(size);
    this.data.set(data);
    this.#ats.set(ats);
    this.#rounds.set(rounds);
  }
}
