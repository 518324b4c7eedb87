/**
 * What a tab's HTTP calls ask for: a token that the host gives, so that one question is under way in a browser (CL-7).
 *
 * A wish is kept until it is granted: a host that is new hears of it again. It ends with the session.
 */
import { ProtocolError } from "@holdfast/protocol";
import type { FromTab, ToTab } from "./messages.ts";

interface Wish {
  readonly refused: string | null | undefined;
  readonly resolve: (token: string | null) => void;
  readonly reject: (error: unknown) => void;
}

export interface TokenWishes {
  /** See `Session.token`. */
  token(refused?: string | null): Promise<string | null>;
  /** Tells a new host of all that are open. */
  repeat(): void;
  take(message: Extract<ToTab, { kind: "tokenGiven" }>): void;
  abandon(): void;
}

export function makeTokenWishes(say: (message: FromTab) => void): TokenWishes {
  const wishes = new Map<number, Wish>();
  let requests = 0;

  function settle(request: number, given: { readonly token: string | null } | undefined): void {
    const wish = wishes.get(request);
    wishes.delete(request);
    if (given === undefined) wish?.reject(new ProtocolError("auth_unavailable", "no credential now"));
    else wish?.resolve(given.token);
  }

  return {
    token(refused) {
      requests += 1;
      const request = requests;
      const { promise, resolve, reject } = Promise.withResolvers<string | null>();
      wishes.set(request, { refused, resolve, reject });
      say({ kind: "wantToken", request, refused });
      return promise;
    },
    repeat() {
      for (const [request, { refused }] of wishes) say({ kind: "wantToken", request, refused });
    },
    take: ({ request, given }) => settle(request, given),
    abandon() {
      for (const request of [...wishes.keys()]) settle(request, undefined);
    },
  };
}
