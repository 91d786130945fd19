// The fleet as this page knows it: who is on shift (from the roster), where they are (from frames), and what is wrong
// (alerts). Frames only say what changed, so this is where changes become a picture again.
//
//   roster (REST, now and then) ─┐
//                                ├─▶ Fleet ──▶ rows, markers, sheets
//   frames (socket, ≤ 4/s) ──────┘
//
// A position never moves backwards in time here, whatever order frames and roster answers arrive in.

import type { Alert as AlertFrame, Cluster, NearbyCourier, OpsCourier, OpsFrame, OpsStats, Position, Vehicle } from "../protocol.ts";

export interface Fix {
  lat: number;
  lon: number;
  at: number;
  heading: number | null;
  speed: number | null;
  accuracy: number | null;
  battery: number | null;
}

export interface Courier {
  id: string;
  name: string;
  vehicle: Vehicle;
  phone: string | null;
  stops: number;
  fix: Fix | null;
  /** Whether frames report this courier now; one out of the view keeps its last fix but is not drawn. */
  inView: boolean;
}

export interface Alert {
  kind: "late" | "silent";
  courierId: string | null;
  deliveryId: string | null;
  since: number;
}

export interface Changes {
  /** Something the list shows changed: a name, a number of stops, who is here, an alert. */
  listed: boolean;
  /** A marker or cluster changed. */
  moved: boolean;
  /** A courier left the view or its shift; only the roster can tell which. */
  left: boolean;
}

export class Fleet {
  readonly couriers = new Map<string, Courier>();
  readonly alerts = new Map<string, Alert>();
  clusters: readonly Cluster[] = [];
  stats: OpsStats | null = null;

  /** Applies one frame. A full one, as at the start of every connection, carries every alert that stands. */
  apply(frame: OpsFrame): Changes {
    const changes: Changes = { listed: frame.full ?? false, moved: false, left: false };
    if (frame.clusters) {
      this.clusters = frame.clusters;
      changes.moved = true;
    }
    // In clusters there is nobody to be seen one by one, whoever was there before.
    if (frame.full || frame.clusters?.length) {
      for (const courier of this.couriers.values()) courier.inView = false;
      changes.moved = true;
    }
    for (const seen of frame.couriers) this.#see(seen, changes);
    for (const id of frame.gone) {
      const courier = this.couriers.get(id);
      if (!courier?.inView) continue;
      courier.inView = false;
      changes.moved = changes.left = true;
    }
    if (frame.full) this.alerts.clear();
    for (const alert of frame.alerts) this.#raise(alert, changes);
    if (frame.stats) this.stats = frame.stats;
    return changes;
  }

  /**
   * Replaces the roster: who is not in it is off shift and forgotten. Who is in view stays: a roster is some seconds older
   * than a frame and may not know of them yet, it has an end, and frames say when somebody leaves but name nobody twice.
   */
  setRoster(roster: readonly NearbyCourier[]): void {
    const onDuty = new Set(roster.map((item) => item.id));
    for (const { id, inView } of this.couriers.values()) if (!onDuty.has(id) && !inView) this.couriers.delete(id);
    for (const item of roster) {
      const courier = this.#courier(item.id);
      courier.name = item.name;
      courier.vehicle = item.vehicle;
      courier.phone = item.phone;
      courier.stops = item.stops;
      if (item.position) advance(courier, item.position);
    }
  }

  #see(seen: OpsCourier, changes: Changes): void {
    const known = this.couriers.has(seen.id);
    const courier = this.#courier(seen.id);
    if (!known) changes.listed = true;
    if (!courier.inView) {
      courier.inView = true;
      changes.moved = true;
    }
    if (seen.name !== undefined && seen.name !== courier.name) {
      courier.name = seen.name;
      changes.listed = true;
    }
    if (seen.vehicle !== undefined) courier.vehicle = seen.vehicle;
    if (seen.stops !== undefined && seen.stops !== courier.stops) {
      courier.stops = seen.stops;
      changes.listed = changes.moved = true;
    }
    if (advance(courier, seen)) changes.moved = true;
  }

  #raise(alert: AlertFrame, changes: Changes): void {
    const key = `${alert.kind} ${alert.delivery_id ?? alert.courier_id ?? ""}`;
    changes.listed = changes.moved = true;
    if (alert.over) {
      this.alerts.delete(key);
      return;
    }
    this.alerts.set(key, {
      kind: alert.kind,
      courierId: alert.courier_id,
      deliveryId: alert.delivery_id,
      since: Date.parse(alert.since),
    });
  }

  #courier(id: string): Courier {
    let courier = this.couriers.get(id);
    if (!courier) {
      courier = {
        id, name: "Courier", vehicle: "bike", phone: null, stops: 0, fix: null, inView: false,
      };
      this.couriers.set(id, courier);
    }
    return courier;
  }
}

/** Takes a position if it is newer than the one known, and says whether it was. */
function advance(courier: Courier, position: Position): boolean {
  const at = Date.parse(position.recorded_at);
  if (Number.isNaN(at) || (courier.fix && at <= courier.fix.at)) return false;
  courier.fix = {
    lat: position.lat,
    lon: position.lon,
    at,
    heading: position.heading_deg ?? null,
    speed: position.speed_mps ?? null,
    accuracy: position.accuracy_m ?? null,
    battery: position.battery ?? courier.fix?.battery ?? null,
  };
  return true;
}
