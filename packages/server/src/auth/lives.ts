/** How long what signs somebody in is good for, ms. Numbers only, so that settings are judged before sign-in is loaded. */

export const signInCodeLifeMs = 10 * 60_000;
/** By default; each refresh begins it anew (AU-7). */
export const sessionLifeMs = 30 * 24 * 3_600_000;
export const apiKeyLifeMs = 365 * 24 * 3_600_000;
/** By default; a new one signs after it. */
export const signingKeyLifeMs = 90 * 24 * 3_600_000;
