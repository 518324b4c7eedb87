/** How a server is run: `local` asks for a sign-in by link, `development` takes whoever reaches it (AU-6). */
export type Mode = "local" | "development";
