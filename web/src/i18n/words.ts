// The page's language: the catalogue the server chose (it stands in <html lang>), and everything Intl knows about it.
import de from "./de.json";
import en from "./en.json";

export interface Catalogue { lang: string; dir: string; messages: Record<string, string> }
export type Values = Record<string, string | number>;

const CATALOGUES: Record<string, Catalogue> = { en, de };

export class Words {
  readonly lang: string;
  readonly #messages: Record<string, string>;
  readonly #locale: string;
  readonly #timeZone: string | undefined;
  readonly #plural: Intl.PluralRules;
  readonly #number: Intl.NumberFormat;

  /** Words come in the language, numbers and times in its regional form if the reader has one ("en-GB": 18:10). */
  constructor(lang: string, locales: readonly string[] = [], timeZone?: string) {
    const catalogue = CATALOGUES[lang] ?? CATALOGUES.en!;
    this.lang = catalogue.lang;
    this.#messages = catalogue.messages;
    this.#locale = locales.find((locale) => locale.split("-")[0] === catalogue.lang) ?? catalogue.lang;
    this.#timeZone = timeZone;
    this.#plural = new Intl.PluralRules(this.lang);
    this.#number = new Intl.NumberFormat(this.#locale);
  }

  text(key: string, values: Values = {}): string {
    const message = this.#messages[key];
    if (message === undefined) return key;
    return message.replaceAll(/\{(\w+)\}/g, (whole, name: string) => {
      const value = values[name];
      return value === undefined ? whole : typeof value === "number" ? this.#number.format(value) : value;
    });
  }

  count(key: string, n: number, values: Values = {}): string {
    const form = `${key}.${this.#plural.select(n)}`;
    return this.text(form in this.#messages ? form : `${key}.other`, { ...values, count: n });
  }

  clock(at: number): string {
    return new Intl.DateTimeFormat(this.#locale, { timeStyle: "short", timeZone: this.#timeZone }).format(at);
  }

  /** "today 18:10–18:40", "Fri, 6 Mar 18:10–18:40": the day in words when it is near. */
  range(from: number, to: number, now: number): string {
    const times = new Intl.DateTimeFormat(this.#locale, { timeStyle: "short", timeZone: this.#timeZone }).formatRange(from, to);
    return `${this.day(from, now)} ${sameDay(from, to, this.#timeZone) ? tidy(times) : `${this.clock(from)}–${this.clock(to)}`}`;
  }

  day(at: number, now: number): string {
    const distance = Math.round((noon(at, this.#timeZone) - noon(now, this.#timeZone)) / 86_400_000);
    if (distance === 0) return this.text("day.today");
    if (distance === 1) return this.text("day.tomorrow");
    if (distance === -1) return this.text("day.yesterday");
    return new Intl.DateTimeFormat(this.#locale, { weekday: "short", day: "numeric", month: "short", timeZone: this.#timeZone })
      .format(at);
  }

  /** "4 s ago", "3 min ago", "2 hr. ago". */
  ago(milliseconds: number): string {
    const seconds = Math.max(1, Math.round(milliseconds / 1000));
    const relative = new Intl.RelativeTimeFormat(this.#locale, { style: "short", numeric: "always" });
    if (seconds < 60) return relative.format(-seconds, "second");
    if (seconds < 3600) return relative.format(-Math.floor(seconds / 60), "minute");
    if (seconds < 86_400) return relative.format(-Math.floor(seconds / 3600), "hour");
    return relative.format(-Math.floor(seconds / 86_400), "day");
  }
}

// Intl puts thin spaces around the dash; the promised window is read as one thing.
const tidy = (range: string) => range.replaceAll(/[\u2009\u202f ]*–[\u2009\u202f ]*/g, "–");

function noon(at: number, timeZone: string | undefined): number {
  const parts = new Intl.DateTimeFormat("en-CA", { timeZone, dateStyle: "short" }).format(at);
  return Date.parse(`${parts}T12:00:00Z`);
}

const sameDay = (a: number, b: number, timeZone: string | undefined) => noon(a, timeZone) === noon(b, timeZone);
