// The map both pages draw on. `createMap` answers at once; whatever lies above the basemap waits for `ready`, which
// resolves even when no tile ever arrives. It is null where WebGL is missing: the page then stays text.
import "maplibre-gl/dist/maplibre-gl.css";
import { addProtocol, AttributionControl, Map as MapLibre, setWorkerUrl } from "maplibre-gl";
import type { MapOptions, StyleSpecification } from "maplibre-gl";
// Without the worker named like this the build is green and the production map stays blank.
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import { Protocol } from "pmtiles";
import { basemapLayers, basemapStyle, DARK, LIGHT } from "./basemap.ts";

setWorkerUrl(workerUrl);
addProtocol("pmtiles", new Protocol().tile);

const TILES = "/map/sf.pmtiles";
const STYLE_TIMEOUT_MS = 5_000;

export interface BaseMap {
  map: MapLibre;
  /** The style is in place: sources and layers may be added. Never rejects. */
  ready: Promise<void>;
  /** Tells when the palette has changed. */
  onTheme: (listener: () => void) => void;
}

export type BaseMapOptions = Omit<MapOptions, "container" | "style" | "attributionControl">;

/** A style configured by the operator, or "" for the built-in one. The server writes it into the page. */
function configuredStyle(): string {
  return document.querySelector<HTMLMetaElement>('meta[name="map-style"]')?.content ?? "";
}

export function createMap(container: HTMLElement, options: BaseMapOptions = {}): BaseMap | null {
  const darkQuery = matchMedia("(prefers-color-scheme: dark)");
  const foreign = configuredStyle();
  const own = basemapStyle(darkQuery.matches ? DARK : LIGHT, `pmtiles://${location.origin}${TILES}`);
  let map: MapLibre;
  try {
    map = new MapLibre({
      dragRotate: false, pitchWithRotate: false, touchPitch: false, maxPitch: 0, fadeDuration: 150,
      ...options,
      container,
      style: foreign ? empty(own) : own,
      attributionControl: false,
    });
  } catch {
    return null;
  }
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.addControl(new AttributionControl({ compact: false }));
  // A tile that fails is a grey square, and the map library's own console noise helps nobody.
  map.on("error", () => {});

  const listeners: (() => void)[] = [];
  let ours = !foreign;
  darkQuery.addEventListener("change", () => {
    if (ours) repaint(map, darkQuery.matches);
    for (const listener of listeners) listener();
  });

  const ready = (async () => {
    const first = once(map, "style.load");
    if (!foreign) return first;
    const style = await fetchStyle(foreign);
    ours = style === null;
    await first;
    const second = once(map, "style.load");
    map.setStyle(style ?? own, { diff: false });
    return second;
  })();

  return { map, ready, onTheme: (listener) => listeners.push(listener) };
}

function once(map: MapLibre, event: "style.load"): Promise<void> {
  return new Promise((resolve) => void map.once(event, () => resolve()));
}

function empty(style: StyleSpecification): StyleSpecification {
  return { ...style, sources: {}, layers: style.layers.filter((layer) => layer.type === "background") };
}

// A style URL handed to the map library that cannot be fetched means that nothing at all is ever drawn. So it is
// fetched here, and our own style stands in when it does not come.
async function fetchStyle(url: string): Promise<StyleSpecification | null> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(STYLE_TIMEOUT_MS), credentials: "omit" });
    return response.ok ? ((await response.json()) as StyleSpecification) : null;
  } catch {
    return null;
  }
}

function repaint(map: MapLibre, dark: boolean): void {
  for (const layer of basemapLayers(dark ? DARK : LIGHT)) {
    if (!map.getLayer(layer.id)) continue;
    for (const [name, value] of Object.entries(layer.paint ?? {})) map.setPaintProperty(layer.id, name as never, value as never);
  }
}
