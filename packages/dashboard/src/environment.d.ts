/** What the bundler understands beside TypeScript: style sheets as side effects. */
declare module "*.css";
