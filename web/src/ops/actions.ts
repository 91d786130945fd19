// What a dispatcher can do, each with its words for success, its way back where there is one, and one question before
// what cannot be taken back.

import { ApiError } from "./api.ts";
import type { Api, NewDelivery } from "./api.ts";
import type { Delivery } from "../protocol.ts";
import { ask, select } from "./desk.ts";
import type { Desk } from "./desk.ts";
import type { Sync } from "./sync.ts";
import { deliveryWord } from "./words.ts";

export type Actions = ReturnType<typeof createActions>;

export const cancelReasons = [
  "The customer asked for it", "The shop cannot fulfil it", "Ordered twice", "Wrong address", "No courier available",
] as const;

export function createActions(desk: Desk, api: Api, sync: Sync) {
  function took(delivery: Delivery): Delivery {
    desk.ledger.put(delivery);
    desk.listed.value++;
    return delivery;
  }

  /** Runs an act and says how it went. Answers whether it went well. */
  async function act(work: () => Promise<string>, undo?: () => Promise<void>): Promise<boolean> {
    try {
      const text = await work();
      desk.notice.value = { text, tone: "done", ...(undo ? { undo } : {}) };
      return true;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      desk.notice.value = { text: error.message, tone: "wrong" };
      return false;
    }
  }

  async function back(work: () => Promise<string>): Promise<void> {
    await act(work);
  }

  return {
    async create(body: NewDelivery, courierName: string | null): Promise<boolean> {
      let created: Delivery | null = null;
      return act(
        async () => {
          created = took(await api.createDelivery(body));
          select(desk, { kind: "delivery", id: created.id });
          return courierName ? `Created and given to ${courierName}.` : "Created. It waits for a courier.";
        },
        () => back(async () => {
          if (created) took(await api.cancel(created.id, "Created by mistake"));
          return "The new delivery is cancelled again.";
        }),
      );
    },

    assign(delivery: Delivery, courier: { id: string; name: string }): Promise<boolean> {
      const before = delivery.courier;
      return act(
        async () => {
          took(await api.assign(delivery.id, courier.id));
          return `${deliveryWord(delivery)} is with ${courier.name} now.`;
        },
        () => back(async () => {
          took(before ? await api.assign(delivery.id, before.id) : await api.unassign(delivery.id));
          return `${deliveryWord(delivery)} ${before ? `is with ${before.name}` : "waits for a courier"} again.`;
        }),
      );
    },

    unassign(delivery: Delivery): Promise<boolean> {
      const { courier } = delivery;
      return act(
        async () => {
          took(await api.unassign(delivery.id));
          return `${deliveryWord(delivery)} waits for a courier again.`;
        },
        courier ? () => back(async () => {
          took(await api.assign(delivery.id, courier.id));
          return `${deliveryWord(delivery)} is with ${courier.name} again.`;
        }) : undefined,
      );
    },

    async cancel(delivery: Delivery): Promise<void> {
      const reason = await ask(desk, {
        title: `Cancel ${deliveryWord(delivery)}?`,
        detail: "The customer is told at once. This cannot be taken back.",
        verb: "Cancel the delivery",
        reasons: cancelReasons,
      });
      if (reason === null) return;
      await act(async () => {
        took(await api.cancel(delivery.id, reason));
        return `${deliveryWord(delivery)} is cancelled.`;
      });
    },

    async revokeLink(delivery: Delivery): Promise<void> {
      const sure = await ask(desk, {
        title: "Switch off the customer’s link?",
        detail: "Whoever has the page open loses it within seconds, and the link never works again.",
        verb: "Switch it off",
      });
      if (sure === null) return;
      await act(async () => {
        await api.revokeLink(delivery.id);
        return "The customer’s link is switched off.";
      });
    },

    async copyLink(delivery: Delivery): Promise<void> {
      await navigator.clipboard.writeText(delivery.tracking_url).then(
        () => { desk.notice.value = { text: "The customer’s link is copied.", tone: "done" }; },
        () => { desk.notice.value = { text: `Copy it by hand: ${delivery.tracking_url}`, tone: "wrong" }; },
      );
    },

    /** Moves a stop one place up in its courier's route. */
    async sooner(courierId: string, ids: readonly string[], index: number): Promise<void> {
      const order = [...ids];
      const [moved] = order.splice(index, 1);
      if (moved === undefined) return;
      order.splice(index - 1, 0, moved);
      const put = async (wanted: readonly string[]) => {
        await api.reorder(courierId, [...wanted]);
        await sync.readRoute(courierId);
      };
      await act(
        async () => {
          await put(order);
          return "The order of the stops is changed.";
        },
        () => back(async () => {
          await put(ids);
          return "The stops are in their old order again.";
        }),
      );
    },
  };
}
