// What lies above the basemap, from the ground up: the way a delivery took, the stops ahead, a halo around what is
// selected or pointed at, clusters, and one layer for every courier and waiting parcel.

import type { LayerSpecification } from "maplibre-gl";

export const sources = ["trail", "stops", "halo", "clusters", "markers"] as const;

export type SourceName = (typeof sources)[number];

export type Token = "accent" | "accent-ink" | "ink" | "ink-2" | "sheet" | "late" | "silent";

/** A colour of the theme as it is now. The map paints on a canvas, so it cannot use the custom properties themselves. */
export function token(name: Token): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

const font = ["system-ui", "sans-serif"];

export function layers(): LayerSpecification[] {
  return [
    {
      id: "trail", type: "line", source: "trail",
      layout: { "line-cap": "round", "line-join": "round" },
      paint: { "line-color": token("accent"), "line-width": 4, "line-opacity": 0.55 },
    },
    {
      id: "stops", type: "circle", source: "stops",
      paint: {
        "circle-radius": 11,
        "circle-color": ["match", ["get", "kind"], "pickup", token("sheet"), token("ink")],
        "circle-stroke-color": ["match", ["get", "kind"], "pickup", token("ink"), token("sheet")],
        "circle-stroke-width": 2,
      },
    },
    {
      id: "stop-labels", type: "symbol", source: "stops",
      layout: {
        "text-field": ["get", "label"], "text-font": font, "text-size": 12,
        "text-allow-overlap": true, "text-ignore-placement": true,
      },
      paint: { "text-color": ["match", ["get", "kind"], "pickup", token("ink"), token("sheet")] },
    },
    {
      id: "halo", type: "circle", source: "halo",
      paint: {
        "circle-radius": ["match", ["get", "kind"], "selected", 20, 16],
        "circle-color": token("accent"),
        "circle-opacity": ["match", ["get", "kind"], "selected", 0.28, 0.16],
        "circle-stroke-color": token("accent"),
        "circle-stroke-width": ["match", ["get", "kind"], "selected", 2, 0],
      },
    },
    {
      id: "clusters", type: "circle", source: "clusters",
      paint: {
        "circle-radius": ["interpolate", ["linear"], ["sqrt", ["get", "count"]], 1, 14, 10, 22, 60, 44],
        "circle-color": token("accent"),
        "circle-opacity": 0.9,
        "circle-stroke-color": token("sheet"),
        "circle-stroke-width": 2,
      },
    },
    {
      id: "cluster-counts", type: "symbol", source: "clusters",
      layout: {
        "text-field": ["to-string", ["get", "count"]], "text-font": font, "text-size": 13,
        "text-allow-overlap": true, "text-ignore-placement": true,
      },
      paint: { "text-color": token("accent-ink") },
    },
    {
      id: "markers", type: "symbol", source: "markers",
      layout: {
        "icon-image": ["get", "icon"],
        "icon-allow-overlap": true, "icon-ignore-placement": true,
        "symbol-sort-key": ["get", "order"],
        "text-field": ["step", ["zoom"], "", 13, ["get", "name"]],
        "text-font": font, "text-size": 12, "text-anchor": "top", "text-offset": [0, 1], "text-optional": true,
        "text-max-width": 8,
      },
      paint: {
        "icon-opacity": ["get", "fade"],
        "text-opacity": ["get", "fade"],
        "text-color": token("ink"),
        "text-halo-color": token("sheet"),
        "text-halo-width": 1.5,
      },
    },
  ];
}
