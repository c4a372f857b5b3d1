import { mount } from "svelte";
import App from "./App.svelte";
import "./app.css";
import { chooseLanguage } from "./lib/messages.svelte";

await chooseLanguage();
const target = document.getElementById("app");
if (target) mount(App, { target });
