import { expect, test } from "vitest";
import { late, bringer, details, headline, promised } from "../../src/customer/phrases.ts";
import { steps, timeline } from "../../src/customer/progress.ts";
import type { Delivery } from "../../src/customer/delivery.ts";
import { phrase } from "../../src/eta.ts";
import { Words } from "../../src/i18n/words.ts";
import frame from "../frames/snapshot.json";
import file from "../phrases.json";

// The Go side reads the same file (phrases_test.go): server and script must never contradict each other.
// German says "Uhr" where Go's format cannot know it.
const plain = (text: string) => text.replaceAll(" Uhr", "");
const now = Date.parse(file.now);

for (const wanted of file.cases) {
  test(`a delivery ${wanted.name} is said as the shared file says`, () => {
    const delivery = { ...frame, ...wanted.snapshot } as unknown as Delivery;
    const words = new Words(wanted.lang, [wanted.lang === "en" ? "en-GB" : "de-DE"], "UTC");
    expect({
      headline: plain(headline(words, delivery, delivery.eta && phrase(delivery.eta, now))),
      details: details(words, delivery),
      late: plain(late(words, delivery, now)),
      window: plain(promised(words, delivery, now)),
      courier: bringer(words, delivery),
      steps: steps(words, delivery).map((step) => `${step.state} ${step.label}`),
      timeline: timeline(words, delivery).map((moment) => [moment.label, moment.note].filter(Boolean).join(" · ")),
    }).toEqual({
      headline: wanted.headline, details: wanted.details, late: wanted.late, window: wanted.window, courier: wanted.courier,
      steps: wanted.steps, timeline: wanted.timeline,
    });
  });
}
