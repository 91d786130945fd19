// Why the list is empty, and what to do about it.

import { useRoom } from "./context.ts";

export function Empty() {
  const { desk } = useRoom();
  if (desk.link.value === "refused") return <p class="empty">Nothing can be read with this key.</p>;
  if (!desk.loaded.value) return <p class="empty">{desk.unread.value ?? "Looking who is on shift …"}</p>;
  if (desk.query.value.trim() !== "") {
    return (
      <div class="empty">
        <p><strong>Nothing found for “{desk.query.value.trim()}”.</strong></p>
        <p>Couriers are searched by name, open deliveries by number, recipient and address.</p>
        <button type="button" onClick={() => { desk.query.value = ""; }}>Clear the search</button>
      </div>
    );
  }
  switch (desk.filter.value) {
    case "late": return <p class="empty"><strong>Nothing is late.</strong></p>;
    case "silent": return <p class="empty"><strong>Everyone has been heard from.</strong></p>;
    case "waiting": return <p class="empty"><strong>Every delivery has a courier.</strong></p>;
    case "all":
      return (
        <div class="empty">
          <p><strong>No couriers on shift.</strong></p>
          <p>Create one and give the token to their phone, or try <code>hotfoot simulate</code>.</p>
          <button type="button" onClick={() => { desk.dialog.value = "courier"; }}>Create a courier</button>
        </div>
      );
  }
}
