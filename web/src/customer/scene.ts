// What the customer sees on the map: the courier's dot, the door, and a soft line between them. Loaded after the text.
import { Marker, NavigationControl } from "maplibre-gl";
import type { DotView } from "../dot.ts";
import type { Words } from "../i18n/words.ts";
import { createMap } from "../map.ts";
import type { Delivery } from "./delivery.ts";
import { Framing } from "./framing.ts";
import { courierElement, doorElement, drawCourier, shopElement } from "./figures.ts";
import { Shapes } from "./shapes.ts";

export interface SceneOptions {
  words: Words;
  /** The dot as it should look now, or null when nobody may be seen. */
  look: () => DotView | null;
  reduced: () => boolean;
}

export interface Scene {
  update: (delivery: Delivery) => void;
}

export function createScene(options: SceneOptions): Scene | null {
  const { words } = options;
  const container = document.getElementById("map")!;
  const base = createMap(container, {
    center: [-122.41, 37.78], zoom: 12, cooperativeGestures: false,
    locale: {
      "Map.Title": words.text("map.label"),
      "NavigationControl.ZoomIn": words.text("map.zoom_in"),
      "NavigationControl.ZoomOut": words.text("map.zoom_out"),
    },
  });
  if (base === null) return null;
  const { map } = base;
  container.ariaBusy = "true";
  map.once("idle", () => {
    container.ariaBusy = null;
  });
  if (matchMedia("(pointer: fine)").matches) map.addControl(new NavigationControl({ showCompass: false }), "top-right");

  const framing = new Framing(map, document.getElementById("recentre")!);
  const courier = new Marker({ element: courierElement(words.text("map.courier")), anchor: "center" });
  const door = new Marker({ element: doorElement(words.text("map.door")), anchor: "bottom" });
  const shop = new Marker({ element: shopElement(), anchor: "center" });
  const shapes = new Shapes(map);

  let delivery: Delivery | null = null;
  let leaps = 0;
  let drawing = 0;

  document.addEventListener("visibilitychange", wake);

  function wake(): void {
    if (drawing === 0 && document.visibilityState === "visible") drawing = requestAnimationFrame(draw);
  }

  function draw(): void {
    drawing = 0;
    if (delivery === null) return;
    const look = delivery.visible ? options.look() : null;
    const to: [number, number] = [delivery.dropoff.lon, delivery.dropoff.lat];
    place(door, to);
    if (look === null) {
      courier.remove();
      shapes.show(null);
      return;
    }
    const at: [number, number] = [look.lon, look.lat];
    const leapt = look.leaps !== leaps;
    leaps = look.leaps;
    drawCourier(courier, look, words, leapt && !options.reduced());
    place(courier, at);
    const nextStop = (delivery.stops_before ?? 0) === 0;
    shapes.show({ courier: at, door: nextStop ? to : null, ringM: look.ringM });
    if (!look.still) wake();
  }

  // Adding a marker again takes its element out and puts it back: a pulse would begin anew with each frame, and Chromium never ends the one before.
  function place(marker: Marker, at: [number, number]): void {
    marker.setLngLat(at);
    if (!marker.getElement().isConnected) marker.addTo(map);
  }

  return {
    update(next) {
      delivery = next;
      const points: [number, number][] = [[next.dropoff.lon, next.dropoff.lat]];
      const look = next.visible ? options.look() : null;
      const before = next.status === "created" || next.status === "assigned" || next.status === "picked_up";
      if (look !== null) points.push([look.lon, look.lat]);
      else if (before) points.push([next.pickup.lon, next.pickup.lat]);
      if (before) place(shop, [next.pickup.lon, next.pickup.lat]);
      else shop.remove();
      framing.show(points, Date.now());
      wake();
    },
  };
}
