/**
 * The built page: its files, and `index.html` for every address of the app.
 *
 * Files in `assets/` bear a hash of their content in their name and are kept for a year; `index.html` is never
 * kept, so that a new version is seen at the next load (the rest is asked for again each time).
 */
import { join, relative, sep } from "node:path";
import fastifyStatic from "@fastify/static";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

const hashedMaxAgeSeconds = 31_536_000;

/** Serves `folder`, the result of the page's build; `paths` are the page's own addresses (see `isPagePath`). */
export function addPageRoutes(app: FastifyInstance, folder: string, paths: readonly string[]): void {
  app.register(fastifyStatic, {
    root: folder,
    index: false,
    redirect: false,
    dotfiles: "ignore",
    cacheControl: false,
    setHeaders: (reply, path) => void reply.header("cache-control", cacheControlOf(relative(folder, path))),
  });
  for (const path of paths) {
    app.get(path, (_request, reply) => reply.sendFile("index.html", folder));
  }
}

/**
 * Whether somebody who came by a link or typed an address gets the page, which says that there is nothing, in the place
 * of a problem document: browsers ask for HTML by name, programs do not. What belongs to programs stays theirs.
 */
export function wantsPage({ method, url, headers }: FastifyRequest): boolean {
  const isPerson = method === "GET" && headers.accept?.includes("text/html") === true;
  return isPerson && !/^\/(?:api|auth|assets|ws)(?:[/?]|$)/.test(url) && !/\.[^/]*$/.test(url.split("?", 1)[0] ?? "");
}

/** The page, which draws its own words for an address that is none of its own. */
export function sendNotFoundPage(reply: FastifyReply, folder: string): FastifyReply {
  return reply.code(404).sendFile("index.html", folder);
}

/** `path` is relative to the page's folder. */
function cacheControlOf(path: string): string {
  if (path.startsWith(join("assets", sep))) return `public, max-age=${hashedMaxAgeSeconds}, immutable`;
  return path === "index.html" ? "no-store" : "no-cache";
}
