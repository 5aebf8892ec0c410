#!/usr/bin/env node
// The installed command. It stays a file of its own so that it exists before the first build.
import { main } from "../dist/main.js";

await main();
