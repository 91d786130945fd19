// What every part of the page may reach: the desk, what can be done, and the API for reading more.

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Actions } from "../actions.ts";
import type { Api } from "../api.ts";
import type { Desk } from "../desk.ts";
import type { Sync } from "../sync.ts";

export interface Room {
  desk: Desk;
  api: Api;
  actions: Actions;
  sync: Sync;
}

export const RoomContext = createContext<Room | null>(null);

export function useRoom(): Room {
  const room = useContext(RoomContext);
  if (!room) throw new Error("outside of the room");
  return room;
}
