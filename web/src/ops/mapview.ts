// The map of the ops page: draws what it is told and says what the hand on it does. It knows nothing of deliveries.

import type { GeoJSONSource, Map as MapLibre, MapGeoJSONFeature, PointLike } from "maplibre-gl";
import type { BaseMap } from "../map.ts";
import type { Cluster } from "../protocol.ts";
import { Crowd, spotOf } from "./crowd.ts";
import type { Member } from "./crowd.ts";
import { CrowdLayer } from "./crowdlayer.ts";
import type { MapView as View } from "./address.ts";
import type { Point } from "./glide.ts";
import { drawIcon, iconDensity } from "./glyphs.ts";
import { layers, sources, token } from "./layers.ts";
import type { SourceName } from "./layers.ts";
import type { Marker } from "./markers.ts";
import { MarkerSet } from "./markers.ts";
import type { Viewport } from "./viewport.ts";

export interface Hands {
  select(kind: Marker["kind"], id: string): void;
  hover(id: string | null): void;
  /** A click where no marker is. Answers whether it was wanted (a place for a new delivery). */
  pick(place: Point): boolean;
  moved(viewport: Viewport, view: View): void;
  /** A person moved the map by hand. */
  grabbed(): void;
  painted(): void;
}

/** A finger or a pointer this close means the marker. */
const reach = 10;

/** A change not reported drawn for so long is taken for drawn: a hidden tab draws nothing and reports nothing. */
const patience = 1000;

const edge = 48;
const padding = { top: 64, right: 64, bottom: 64, left: 64 };

export class OpsMap {
  readonly #map: MapLibre;
  readonly #hands: Hands;
  readonly #crowd = new Crowd();
  readonly #crowdLayer = new CrowdLayer(this.#crowd);
  #markers = new MarkerSet();
  #paintingSince: number | null = null;
  #inset = 0;
  #rings = "[]";
  #clusters: readonly Cluster[] | null = null;

  constructor({ map, onTheme }: BaseMap, hands: Hands) {
    this.#map = map;
    this.#hands = hands;
    for (const source of sources) map.addSource(source, { type: "geojson", data: empty, promoteId: "id" });
    for (const layer of layers()) map.addLayer(layer);
    map.addLayer(this.#crowdLayer, "markers");
    map.setMissingStyleImageResolver((id) => this.#draw(id));
    onTheme(() => this.#repaint());

    map.on("click", (event) => this.#clicked(event.point, event.lngLat));
    map.on("mousemove", (event) => {
      const feature = this.#under(event.point);
      const marker = feature?.layer.id === "markers" ? String(feature.id) : feature ? null : this.#inCrowd(event.lngLat);
      hands.hover(marker);
      this.#map.getCanvas().style.cursor = feature || marker ? "pointer" : "";
    });
    map.on("mouseout", () => hands.hover(null));
    map.on("moveend", () => this.report());
    map.on("dragstart", () => hands.grabbed());
    map.on("render", () => hands.painted());
    map.on("sourcedata", (event) => {
      if (event.sourceId === "markers" && event.isSourceLoaded) this.#paintingSince = null;
    });
  }

  /** Shows exactly these markers. False while the last change is still being drawn: ask again then, with newer places. */
  setMarkers(markers: readonly Marker[]): boolean {
    const now = performance.now();
    if (this.#paintingSince !== null && now - this.#paintingSince < patience) return false;
    const diff = this.#markers.diff(markers);
    if (!diff) return true;
    this.#paintingSince = now;
    this.#source("markers").updateData(diff);
    return true;
  }

  /** Shows exactly these as a crowd: small, nameless, in one go. Whoever is in it glides by itself as long as it is repainted. */
  setCrowd(members: Iterable<Member>, still: boolean): void {
    const before = this.#crowd.version;
    this.#crowd.show(members, Date.now(), still);
    if (this.#crowd.version !== before) this.repaint();
  }

  get crowdMoving(): boolean {
    return this.#crowd.moving(Date.now());
  }

  placeInCrowd(id: string): Point | null {
    return this.#crowd.place(id, Date.now());
  }

  repaint(): void {
    this.#map.triggerRepaint();
  }

  /** Keeps what is brought into sight out from under a sheet this wide at the right edge. */
  setInset(right: number): void {
    this.#inset = right;
  }

  setClusters(clusters: readonly Cluster[]): void {
    if (clusters === this.#clusters) return;
    this.#clusters = clusters;
    this.#set("clusters", clusters.map(({ id, lat, lon, count }) => point({ lat, lon }, { id, count })));
  }

  setHalo(selected: Point | null, hovered: Point | null): void {
    const rings: GeoJSON.Feature[] = [];
    if (hovered) rings.push(point(hovered, { id: "hovered", kind: "hovered" }));
    if (selected) rings.push(point(selected, { id: "selected", kind: "selected" }));
    const drawn = JSON.stringify(rings);
    if (drawn === this.#rings) return;
    this.#rings = drawn;
    this.#set("halo", rings);
  }

  setStops(stops: readonly { place: Point; kind: "pickup" | "dropoff"; label: string }[]): void {
    this.#set("stops", stops.map(({ place, kind, label }, index) => point(place, { id: String(index), kind, label })));
  }

  setTrail(way: GeoJSON.LineString | null): void {
    this.#set("trail", way ? [{ type: "Feature", properties: { id: "trail" }, geometry: way }] : []);
  }

  view(): View {
    const { lat, lng } = this.#map.getCenter();
    return { lat, lon: lng, zoom: this.#map.getZoom() };
  }

  go(view: View): void {
    this.#map.jumpTo({ center: [view.lon, view.lat], zoom: view.zoom });
  }

  /** Brings places into sight: calmly, and not at all if they are in sight already. */
  reveal(places: readonly Point[]): void {
    const first = places[0];
    if (!first || places.every((place) => this.#inSight(place))) return;
    if (places.length === 1) {
      this.#map.easeTo({
        center: [first.lon, first.lat], zoom: Math.max(this.#map.getZoom(), 14), offset: [-this.#inset / 2, 0],
      });
      return;
    }
    this.fit(places, true);
  }

  fit(places: readonly Point[], calmly: boolean): void {
    if (places.length === 0) return;
    const lats = places.map(({ lat }) => lat);
    const lons = places.map(({ lon }) => lon);
    this.#map.fitBounds(
      [[Math.min(...lons), Math.min(...lats)], [Math.max(...lons), Math.max(...lats)]],
      { padding: { ...padding, right: padding.right + this.#inset }, maxZoom: 15, animate: calmly },
    );
  }

  follow(place: Point): void {
    const at = this.#map.project([place.lon, place.lat]);
    const middle = this.#map.project(this.#map.getCenter());
    if (Math.hypot(at.x - middle.x, at.y - middle.y) < 1 || this.#map.isZooming()) return;
    this.#map.easeTo({ center: [place.lon, place.lat], duration: 250, easing: (t) => t });
  }

  report(): void {
    const bounds = this.#map.getBounds();
    const bbox: Viewport["bbox"] = [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()];
    this.#hands.moved({ bbox, zoom: this.#map.getZoom() }, this.view());
  }

  #inSight({ lat, lon }: Point): boolean {
    const { x, y } = this.#map.project([lon, lat]);
    const { clientWidth, clientHeight } = this.#map.getContainer();
    return x > edge && y > edge && x < clientWidth - edge - this.#inset && y < clientHeight - edge;
  }

  #clicked(at: PointLike & { x: number; y: number }, { lat, lng }: { lat: number; lng: number }): void {
    if (this.#hands.pick({ lat, lon: lng })) return;
    const feature = this.#under(at);
    if (!feature) {
      const courier = this.#inCrowd({ lat, lng });
      if (courier) this.#hands.select("courier", courier);
      return;
    }
    const target = feature.geometry as GeoJSON.Point;
    if (feature.layer.id === "clusters") {
      this.#map.easeTo({ center: target.coordinates as [number, number], zoom: this.#map.getZoom() + 2 });
      return;
    }
    const { id, kind } = feature.properties as Marker;
    this.#hands.select(kind, id);
  }

  #under({ x, y }: { x: number; y: number }): MapGeoJSONFeature | undefined {
    const around: [PointLike, PointLike] = [[x - reach, y - reach], [x + reach, y + reach]];
    return this.#map.queryRenderedFeatures(around, { layers: ["markers", "clusters"] })[0];
  }

  #inCrowd({ lat, lng }: { lat: number; lng: number }): string | null {
    return this.#crowd.nearest(spotOf({ lat, lon: lng }), reach / (512 * 2 ** this.#map.getZoom()), Date.now());
  }

  #draw(icon: string): void {
    const picture = drawIcon(icon, token);
    if (picture && !this.#map.hasImage(icon)) this.#map.addImage(icon, picture, { pixelRatio: iconDensity });
  }

  #repaint(): void {
    this.#crowdLayer.retheme();
    for (const icon of this.#map.listImages()) {
      const picture = drawIcon(icon, token);
      if (picture) this.#map.updateImage(icon, picture);
    }
    for (const { id, paint } of layers()) {
      for (const [name, value] of Object.entries(paint ?? {})) this.#map.setPaintProperty(id, name as never, value as never);
    }
  }

  #set(source: SourceName, features: GeoJSON.Feature[]): void {
    this.#source(source).setData({ type: "FeatureCollection", features });
  }

  #source(name: SourceName): GeoJSONSource {
    return this.#map.getSource(name) as GeoJSONSource;
  }
}

const empty: GeoJSON.FeatureCollection = { type: "FeatureCollection", features: [] };

function point({ lat, lon }: Point, properties: GeoJSON.GeoJsonProperties): GeoJSON.Feature {
  return { type: "Feature", properties, geometry: { type: "Point", coordinates: [lon, lat] } };
}
