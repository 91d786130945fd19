// What this page knows of the delivery, and the client's half of the contract: a status counts only if it is the next one,
// a hole means asking again, a position counts only if it is newer, and what may not be seen is forgotten at once.
import { FINAL } from "../protocol.ts";
import type { CustomerFrame, Event, Position, Snapshot, Status } from "../protocol.ts";

export interface Delivery extends Omit<Snapshot, "type" | "server_time"> {}

/** What a frame did: nothing, something to show, or it revealed that something was missed. */
export type Outcome = "nothing" | "changed" | "status" | "hole";

const SHOWN_WHILE: ReadonlySet<Status> = new Set<Status>(["en_route", "arriving"]);

export class DeliveryState {
  #known: Delivery | null = null;

  get known(): Delivery | null {
    return this.#known;
  }

  /** For `?since=`; empty before the first snapshot. */
  get cursor(): string {
    return this.#known === null ? "" : `${this.#known.epoch}.${this.#known.ver}`;
  }

  get final(): boolean {
    return this.#known !== null && FINAL.has(this.#known.status);
  }

  apply(frame: CustomerFrame): Outcome {
    if (frame.type === "snapshot") return this.#snapshot(frame);
    const known = this.#known;
    if (known === null) return "nothing";
    switch (frame.type) {
      case "status":
        if (frame.epoch !== known.epoch) return "hole";
        if (frame.ver <= known.ver) return "nothing";
        if (frame.ver > known.ver + 1) return "hole";
        this.#status(known, frame);
        return "status";
      case "view":
        if (frame.epoch !== known.epoch || frame.sv > known.ver) return "hole";
        // A view made before a status we already have could show again what that status hid.
        if (frame.sv < known.ver) return "nothing";
        Object.assign(known, {
          visible: frame.visible, why: frame.why, stops_before: frame.stops_before, eta: frame.eta,
          courier: frame.courier, window: frame.window,
          position: frame.visible ? newer(known.position, frame.position) : null,
        });
        return "changed";
      case "position":
        if (frame.sv > known.ver) return "hole";
        if (!known.visible || newer(known.position, frame) !== frame) return "nothing";
        known.position = frame;
        known.eta = frame.eta;
        return "changed";
      case "tick": {
        if (frame.sv !== undefined && frame.sv > known.ver) return "hole";
        const changed = known.live !== frame.live;
        known.live = frame.live;
        return changed ? "changed" : "nothing";
      }
      case "bye":
        return "nothing";
    }
  }

  #snapshot(frame: Snapshot): Outcome {
    const known = this.#known;
    const same = known !== null && known.epoch === frame.epoch;
    // A node that is behind may answer a reconnect; what this page already showed does not become undone.
    if (same && frame.ver < known.ver) return "nothing";
    const { type: _type, server_time: _time, ...rest } = frame;
    const before = known?.status;
    this.#known = {
      ...rest,
      events: same ? merge(known.events, frame.events) : frame.events,
      position: frame.visible ? (same ? newer(known.position, frame.position) : frame.position) : null,
    };
    return before !== undefined && before !== frame.status ? "status" : "changed";
  }

  #status(known: Delivery, frame: { ver: number; status: Status; at: string; reason?: string; proof?: Event["proof"] }): void {
    known.ver = frame.ver;
    known.status = frame.status;
    const event: Event = { ver: frame.ver, status: frame.status, at: frame.at };
    if (frame.reason !== undefined) event.reason = frame.reason;
    if (frame.proof !== undefined) event.proof = frame.proof;
    known.events = merge(known.events, [event]);
    if (SHOWN_WHILE.has(frame.status)) return;
    // Not waiting for the server to say so: this is somebody's whereabouts.
    known.visible = false;
    known.position = null;
    if (FINAL.has(frame.status)) known.why = "finished";
    if (FINAL.has(frame.status) || frame.status === "failed") known.eta = null;
  }
}

function newer<A extends Position, B extends Position>(known: A | null, offered: B | null): A | B | null {
  if (known === null || offered === null) return offered ?? known;
  return Date.parse(offered.recorded_at) > Date.parse(known.recorded_at) ? offered : known;
}

function merge(known: Event[], more: Event[]): Event[] {
  const byVer = new Map(known.map((event) => [event.ver, event]));
  for (const event of more) byVer.set(event.ver, event);
  return [...byVer.values()].toSorted((a, b) => a.ver - b.ver);
}

