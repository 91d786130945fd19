// What a dispatcher may do with a delivery, status by status; the server holds the same table and has the last word.
import type { Status, Vehicle } from "../protocol.ts";

/** Statuses in which a delivery still needs somebody. */
export const openStatuses: readonly Status[] = ["created", "assigned", "picked_up", "en_route", "arriving", "failed"];

/** One that is assigned already may be given to somebody else. */
export const canAssign = (status: Status): boolean => status === "created" || status === "assigned";
export const canUnassign = (status: Status): boolean => status === "assigned";
export const canCancel = (status: Status): boolean =>
  status === "created" || status === "assigned" || status === "picked_up";

export const vehicles: readonly Vehicle[] = ["bike", "scooter", "car", "van", "foot"];
