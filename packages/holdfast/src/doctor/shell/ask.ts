/**
 * One HTTP question, and its answer as far as it is worth reading: bounded in bytes and time, never followed elsewhere.
 */
import { type IncomingMessage, request as requestPlain } from "node:http";
import { request as requestTls } from "node:https";
import type { Target } from "../target.ts";
import { type Failure, failureOf, lateBy } from "./reach.ts";

export const answerMsMax = 10_000;
export const answerBytesMax = 64 * 1_024;

export interface Answer {
  readonly kind: "answer";
  readonly status: number;
  /** As sent; "" where there is none. */
  readonly contentType: string;
  /** Who says that it answers (`Server`); "" where nobody does. */
  readonly server: string;
  /** Where it sends on to (`Location`); "" where nowhere. */
  readonly location: string;
  /** The first {@link answerBytesMax} bytes. */
  readonly text: string;
}

/** GETs a path of the server. */
export function ask({ host, port, secure }: Target, path: string): Promise<Answer | Failure> {
  const begin = secure ? requestTls : requestPlain;
  return new Promise((done) => {
    const request = begin({ host, port, path, agent: false, headers: { accept: "application/json" } });
    const timer = setTimeout(() => {
      request.destroy();
      done(lateBy(answerMsMax));
    }, answerMsMax);
    const end = (answer: Answer | Failure): void => {
      clearTimeout(timer);
      request.destroy();
      done(answer);
    };
    request.on("error", (error) => end(failureOf(error)));
    request.once("upgrade", (_, socket) => {
      socket.destroy();
      end({ kind: "failed", code: "UPGRADED", message: "an upgrade that nobody asked for" });
    });
    request.once("response", (response) => void readAnswer(response).then(end));
    request.end();
  });
}

/** Reads an answer to its end or its limit; one that breaks off is what came of it. */
export function readAnswer(response: IncomingMessage): Promise<Answer> {
  return new Promise((done) => {
    const parts: Buffer[] = [];
    let bytes = 0;
    const end = (): void => {
      const text = Buffer.concat(parts).subarray(0, answerBytesMax).toString("utf8");
      const { statusCode = 0, headers } = response;
      const { "content-type": contentType = "", server = "", location = "" } = headers;
      done({ kind: "answer", status: statusCode, contentType, server: String(server), location, text });
    };
    response.on("data", (part: Buffer) => {
      parts.push(part);
      bytes += part.length;
      if (bytes >= answerBytesMax) response.destroy();
    });
    response.on("error", () => {});
    response.once("close", end);
  });
}
