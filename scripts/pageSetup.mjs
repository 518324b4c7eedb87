/** Vitest's setup of what runs the product in a browser: its page is built, whoever asks and in whatever order. */
import { ensurePage } from "./page.mjs";

export async function setup() {
  await ensurePage();
}
