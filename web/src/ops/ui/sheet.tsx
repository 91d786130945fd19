// The sheet at the right: one courier, one delivery, or a new delivery being put together.

import { CourierSheet } from "./courier.tsx";
import { useRoom } from "./context.ts";
import { DeliverySheet } from "./delivery.tsx";
import { NewDeliverySheet } from "./newdelivery.tsx";

export function Sheet() {
  const { desk } = useRoom();
  const selection = desk.selection.value;
  if (desk.draft.value) return <NewDeliverySheet />;
  if (selection?.kind === "courier") return <CourierSheet key={selection.id} id={selection.id} />;
  if (selection?.kind === "delivery") return <DeliverySheet key={selection.id} id={selection.id} />;
  return null;
}
