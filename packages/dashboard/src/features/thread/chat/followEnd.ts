/**
 * Whether a person reads the end of what grows, told from how it scrolls.
 *
 * Pure. Who is near the end reads it; only scrolling up leaves it. Being far from it does not: text may have come between
 * a scroll and its event. Invariant: what is added behind never ends the following, and nothing but the person's way back
 * to the end begins it again.
 */

/** So close to the end the person reads the end. */
export const endPixels = 80;

export interface ScrollPlace {
  readonly scrollTop: number;
  readonly scrollHeight: number;
  readonly clientHeight: number;
}

export interface Following {
  readonly isAtEnd: boolean;
  readonly scrollTop: number;
}

/** What is shown first is the end. */
export const followingEnd: Following = { isAtEnd: true, scrollTop: 0 };

export function scrolled(before: Following, { scrollTop, scrollHeight, clientHeight }: ScrollPlace): Following {
  const isNear = scrollHeight - scrollTop - clientHeight < endPixels;
  return { isAtEnd: isNear || (before.isAtEnd && scrollTop >= before.scrollTop), scrollTop };
}
