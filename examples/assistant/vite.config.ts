/** How the page is built: into `dist`, which the server serves as it is. */
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({ plugins: [react()], build: { target: "es2024" } });
