// The deliveries this page knows, kept by id and never moved back to an older version.

import type { Delivery, OpsEvent, Status } from "../protocol.ts";
import { openStatuses } from "./moves.ts";

const open = new Set<Status>(openStatuses);

export class Ledger {
  readonly #deliveries = new Map<string, Delivery>();

  get(id: string): Delivery | undefined {
    return this.#deliveries.get(id);
  }

  all(): IterableIterator<Delivery> {
    return this.#deliveries.values();
  }

  /** Takes a delivery as the server told it, unless a newer version of it is known. */
  put(delivery: Delivery): void {
    const known = this.#deliveries.get(delivery.id);
    if (!known || delivery.ver >= known.ver) this.#deliveries.set(delivery.id, delivery);
  }

  /**
   * Takes a status event. The answer is whether the whole delivery should be read again, because it is new here or
   * changed hands: the event carries the courier's id but not the name.
   */
  apply(event: OpsEvent): boolean {
    const known = this.#deliveries.get(event.delivery_id);
    if (!known) return true;
    if (event.ver <= known.ver) return false;
    this.#deliveries.set(known.id, {
      ...known,
      status: event.status,
      ver: event.ver,
      updated_at: event.at,
      courier_id: event.courier_id,
      courier: event.courier_id === known.courier_id ? known.courier : null,
    });
    return event.courier_id !== known.courier_id;
  }

  isOpen(id: string): boolean {
    const delivery = this.#deliveries.get(id);
    return delivery !== undefined && open.has(delivery.status);
  }

  /** Open deliveries nobody carries, the one waiting longest first. */
  waiting(): Delivery[] {
    return [...this.#deliveries.values()]
      .filter((delivery) => delivery.status === "created")
      .toSorted((a, b) => a.created_at.localeCompare(b.created_at));
  }

  /** A courier's open deliveries in the order of the route; a failed one has no place in it and comes last. */
  of(courierId: string): Delivery[] {
    return [...this.#deliveries.values()]
      .filter((delivery) => delivery.courier_id === courierId && open.has(delivery.status))
      .toSorted((a, b) => place(a) - place(b) || a.created_at.localeCompare(b.created_at));
  }

  /** Forgets deliveries that ended before `before`, except one still looked at. */
  forgetEnded(before: number, keep: string | null): void {
    for (const delivery of this.#deliveries.values()) {
      if (open.has(delivery.status) || delivery.id === keep) continue;
      if (Date.parse(delivery.updated_at) < before) this.#deliveries.delete(delivery.id);
    }
  }
}

function place({ stops_before: before }: Delivery): number {
  return before ?? Number.MAX_SAFE_INTEGER;
}
