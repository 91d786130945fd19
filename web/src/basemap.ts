// Our own style for Protomaps v4 tiles: muted, so that the one thing that moves is the one thing seen. It needs no glyph
// server and no sprite: labels are drawn with the reader's own fonts.
import type { LayerSpecification, StyleSpecification } from "maplibre-gl";

export interface Palette {
  earth: string; green: string; sand: string; water: string; building: string; buildingEdge: string;
  path: string; minor: string; major: string; highway: string; casing: string; rail: string;
  label: string; labelSoft: string; waterLabel: string; halo: string;
}

export const LIGHT: Palette = {
  earth: "#eff0ec", green: "#dfe8d8", sand: "#efeadb", water: "#c5dae0", building: "#e8e9e4", buildingEdge: "#dcded8",
  path: "#ffffff", minor: "#ffffff", major: "#ffffff", highway: "#fbf3df", casing: "#d9dcd6", rail: "#cdd1cb",
  label: "#56615c", labelSoft: "#6f7a75", waterLabel: "#5b7c86", halo: "#f6f7f4",
};

export const DARK: Palette = {
  earth: "#171d1b", green: "#1a2720", sand: "#22231d", water: "#0e2127", building: "#1f2624", buildingEdge: "#262e2b",
  path: "#2a322f", minor: "#2b3431", major: "#38423e", highway: "#46463a", casing: "#131917", rail: "#2c3532",
  label: "#a3afa9", labelSoft: "#818d87", waterLabel: "#5f8590", halo: "#131917",
};

const SOURCE = "basemap";
const byZoom = (...stops: number[]) => ["interpolate", ["exponential", 1.6], ["zoom"], ...stops] as never;
const kind = (...kinds: string[]) => ["in", ["get", "kind"], ["literal", kinds]] as never;
// A creek is a line in the same layer as the bay: filled, it would flood whole blocks.
const AREA = ["in", ["geometry-type"], ["literal", ["Polygon", "MultiPolygon"]]] as never;
const FONT = ["system-ui", "sans-serif"];

function road(id: string, kinds: string[], color: string, width: number[], minzoom = 5): LayerSpecification {
  return {
    id, type: "line", source: SOURCE, "source-layer": "roads", minzoom, filter: kind(...kinds),
    layout: { "line-cap": "round", "line-join": "round" },
    paint: { "line-color": color, "line-width": byZoom(...width) },
  };
}

function label(id: string, layer: string, color: string, halo: string,
  more: { filter?: never; size: number[]; field?: never; line?: boolean; minzoom?: number; maxzoom?: number; caps?: boolean }): LayerSpecification {
  return {
    id, type: "symbol", source: SOURCE, "source-layer": layer,
    ...(more.minzoom === undefined ? {} : { minzoom: more.minzoom }),
    ...(more.maxzoom === undefined ? {} : { maxzoom: more.maxzoom }),
    ...(more.filter === undefined ? {} : { filter: more.filter }),
    layout: {
      "text-field": more.field ?? (["coalesce", ["get", "name"], ""] as never),
      "text-font": FONT,
      "text-size": byZoom(...more.size),
      "symbol-placement": more.line ? "line" : "point",
      "text-max-width": 7,
      ...(more.caps ? { "text-transform": "uppercase" as const, "text-letter-spacing": 0.08 } : {}),
    },
    paint: { "text-color": color, "text-halo-color": halo, "text-halo-width": 1.4 },
  };
}

export function basemapLayers(p: Palette): LayerSpecification[] {
  const fill = (id: string, layer: string, color: string, filter?: never, minzoom = 0): LayerSpecification => ({
    id, type: "fill", source: SOURCE, "source-layer": layer, minzoom, filter: filter ? (["all", AREA, filter] as never) : AREA,
    paint: { "fill-color": color },
  });
  return [
    { id: "background", type: "background", paint: { "background-color": p.earth } },
    fill("earth", "earth", p.earth),
    fill("green", "landuse", p.green, kind("park", "grass", "forest", "wood", "garden", "golf_course", "nature_reserve",
      "cemetery", "pitch", "recreation_ground", "meadow", "scrub", "national_park", "playground")),
    fill("sand", "landuse", p.sand, kind("beach", "sand")),
    fill("water", "water", p.water),
    {
      id: "buildings", type: "fill", source: SOURCE, "source-layer": "buildings", minzoom: 14,
      paint: { "fill-color": p.building, "fill-outline-color": p.buildingEdge, "fill-opacity": byZoom(14, 0, 15, 1) },
    },
    road("rail", ["rail"], p.rail, [11, 0.4, 18, 2], 11),
    road("path", ["path"], p.path, [14, 0.5, 18, 3], 14),
    road("minor-casing", ["minor_road"], p.casing, [13, 0.8, 18, 15], 13),
    road("major-casing", ["major_road"], p.casing, [10, 1.2, 18, 22], 10),
    road("highway-casing", ["highway"], p.casing, [8, 1.6, 18, 28], 8),
    road("minor", ["minor_road"], p.minor, [12, 0.4, 14, 1.4, 18, 13], 12),
    road("major", ["major_road"], p.major, [9, 0.6, 14, 3, 18, 19], 9),
    road("highway", ["highway"], p.highway, [6, 0.6, 14, 4, 18, 24], 6),
    label("street-names", "roads", p.labelSoft, p.halo, { line: true, size: [13, 10, 17, 13], minzoom: 14,
      filter: kind("highway", "major_road", "minor_road") }),
    label("water-names", "water", p.waterLabel, p.halo, { size: [10, 11, 16, 14] }),
    label("park-names", "pois", p.labelSoft, p.halo, { size: [14, 10, 17, 12], minzoom: 14, filter: kind("park") }),
    label("neighbourhoods", "places", p.label, p.halo, { size: [11, 10, 16, 13], minzoom: 11, caps: true,
      filter: kind("neighbourhood") }),
    label("cities", "places", p.label, p.halo, { size: [6, 12, 12, 18], filter: kind("locality"), maxzoom: 12.5 }),
  ];
}

/** The style as one inline object: nothing has to arrive for the map to draw what lies above it. */
export function basemapStyle(palette: Palette, tiles: string): StyleSpecification {
  return {
    version: 8,
    sources: {
      [SOURCE]: {
        type: "vector", url: tiles,
        attribution: '<a href="https://www.openstreetmap.org/copyright" rel="noopener" target="_blank">© OpenStreetMap</a>',
      },
    },
    layers: basemapLayers(palette),
  };
}
