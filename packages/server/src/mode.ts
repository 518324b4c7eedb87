/**
 * How a server is run. `local`: people sign in, by default by a link. `development`: whoever reaches it is an admin
 * (AU-6). `production`: as `local`, and it starts only where what people do there is safe with it (F79).
 */
export type Mode = "local" | "development" | "production";
