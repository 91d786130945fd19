// Where a marker is drawn between two fixes: it glides to the newest one instead of jumping. It never goes beyond it, so
// the map shows no place where a courier has not been reported.

export interface Point {
  lat: number;
  lon: number;
}

interface Way {
  from: Point;
  to: Point;
  /** When the fix it leads to was recorded. */
  at: number;
  startedAt: number;
  duration: number;
}

/** Farther than this in one step is a correction or a gap, not a ride: the marker goes there at once. */
export const jump = 0.004;

/** A glide lasts about as long as the next fix takes to come, but never so long that the marker lags visibly. */
const shortest = 250;
const longest = 2000;

/** How long a glide takes, in milliseconds, between two fixes that lie so far apart in time. */
export function glideTime(between: number): number {
  return Math.min(longest, Math.max(shortest, between));
}

export class Glide {
  readonly #ways = new Map<string, Way>();

  /** Notes a courier's newest fix, recorded at `at`; `still` moves the marker there without gliding. */
  aim(id: string, to: Point, at: number, now: number, still: boolean): void {
    const way = this.#ways.get(id);
    if (way?.at === at) return;
    const from = way ? along(way, now) : to;
    const far = Math.abs(to.lat - from.lat) > jump || Math.abs(to.lon - from.lon) > jump;
    const duration = still || far ? 0 : glideTime(at - (way?.at ?? at));
    this.#ways.set(id, { from: duration === 0 ? to : from, to, at, startedAt: now, duration });
  }

  place(id: string, now: number): Point | null {
    const way = this.#ways.get(id);
    return way ? along(way, now) : null;
  }

  moving(id: string, now: number): boolean {
    const way = this.#ways.get(id);
    return way !== undefined && now < way.startedAt + way.duration;
  }

  /** Forgets everybody else. */
  keep(ids: ReadonlySet<string>): void {
    for (const id of this.#ways.keys()) if (!ids.has(id)) this.#ways.delete(id);
  }
}

/** A place moved onto a grid of half pixels: less than that nobody sees, so it is not worth drawing. */
export function snapped({ lat, lon }: Point, zoom: number): Point {
  const step = 360 / (512 * 2 ** zoom) / 2;
  return { lat: Math.round(lat / step) * step, lon: Math.round(lon / step) * step };
}

function along(way: Way, now: number): Point {
  const share = way.duration === 0 ? 1 : Math.min(1, (now - way.startedAt) / way.duration);
  return {
    lat: way.from.lat + (way.to.lat - way.from.lat) * share,
    lon: way.from.lon + (way.to.lon - way.from.lon) * share,
  };
}
