"""The look: calm, rounded, one accent colour, the system's fonts with Chinese ones behind them, light and dark."""

from __future__ import annotations

import json

import gradio as gr

from linly.settings import ASSETS
from linly.ui import picker
from linly.ui.form import OWN, OWN_CLIP
from linly.ui.strings import LANGUAGES, text

FONTS = (
    "system-ui", "-apple-system", "Segoe UI", "Roboto", "PingFang SC", "Hiragino Sans GB", "Microsoft YaHei",
    "Noto Sans CJK SC", "Noto Sans SC", "sans-serif",
)  # fmt: skip
MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "Noto Sans Mono CJK SC", "monospace")
ACCENT = gr.themes.Color(
    "#eef4ff", "#dfe9ff", "#c6d7ff", "#a2bcfe", "#7c99f9", "#4f6ff0", "#3f5ae0", "#3449bd", "#2d3f98", "#293978",
    "#1a2247", name="linly",
)  # fmt: skip


def theme() -> gr.themes.Base:
    """Gradio's plain theme with our colours, radii and shadows."""
    made = gr.themes.Base(
        primary_hue=ACCENT, neutral_hue="slate", radius_size="lg", spacing_size="md", text_size="md",
        font=list(FONTS), font_mono=list(MONO),
    )  # fmt: skip
    return made.set(
        body_background_fill="#f5f6f9", body_background_fill_dark="#111318",
        background_fill_primary="#ffffff", background_fill_primary_dark="#1a1d24",
        background_fill_secondary="#f5f6f9", background_fill_secondary_dark="#22262f",
        block_background_fill="transparent", block_background_fill_dark="transparent",
        block_border_width="0px", block_shadow="none", block_padding="0px",
        block_label_background_fill="transparent", block_label_background_fill_dark="transparent",
        block_label_border_width="0px",
        block_title_text_weight="600", block_title_text_size="14px", block_info_text_size="13px",
        body_text_color="#1c2230", body_text_color_dark="#e9ecf2",
        body_text_color_subdued="#5b6474", body_text_color_subdued_dark="#a3acbb",
        block_title_text_color="#1c2230", block_title_text_color_dark="#e9ecf2",
        input_background_fill="#ffffff", input_background_fill_dark="#22262f",
        input_border_width="1px", input_border_color="#d5dae3", input_border_color_dark="#3a404d",
        input_border_color_focus="*primary_500", input_border_color_focus_dark="*primary_400",
        button_primary_background_fill="*primary_600", button_primary_background_fill_hover="*primary_700",
        button_primary_background_fill_dark="*primary_600", button_primary_background_fill_hover_dark="*primary_500",
        button_primary_text_color="#ffffff", button_primary_text_color_dark="#ffffff",
        button_secondary_background_fill="#ffffff", button_secondary_background_fill_dark="#272c36",
        button_secondary_background_fill_hover="#eef1f7", button_secondary_background_fill_hover_dark="#323846",
        button_secondary_border_color="#d5dae3", button_secondary_border_color_dark="#3a404d",
        border_color_primary="#e1e5ec", border_color_primary_dark="#2e333e",
        slider_color="*primary_600", slider_color_dark="*primary_400",
    )  # fmt: skip


def css() -> str:
    """The style sheet, with a thumbnail for each portrait choice."""
    own = "".join(f'#portrait label:has(input[value="{name}"])::before{{content:"+"}}' for name in (OWN, OWN_CLIP))
    sheets = (ASSETS / name for name in ("theme.css", "speak_for.css"))
    return "".join(sheet.read_text(encoding="utf-8") for sheet in sheets) + picker.sample_faces() + own


def head(lang: str) -> str:
    """A script that runs before the page: the remembered language and light or dark; Esc stops, Ctrl+Enter renders."""
    forced = json.dumps("" if lang == "auto" else lang)
    return f"""<script>
(() => {{
  const kept = (k) => {{ try {{ return localStorage.getItem(k) || "" }} catch {{ return "" }} }};
  const lang = kept("linly-lang") || {forced} || (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en");
  window.linlyLang = lang;
  const code = lang === "zh" ? "zh-CN" : "en";
  Object.defineProperty(navigator, "language", {{get: () => code}});
  Object.defineProperty(navigator, "languages", {{get: () => [code]}});
  const root = document.documentElement;
  root.lang = code;
  root.classList.add("linly-wait");
  setTimeout(() => root.classList.remove("linly-wait"), 3000);
  document.addEventListener("DOMContentLoaded", () => {{
    const shade = kept("linly-shade");
    if (shade) document.body.classList.toggle("dark", shade === "dark");
  }});
  document.addEventListener("keydown", (e) => {{
    const press = (id) => {{
      const b = document.getElementById(id);
      if (b && !b.disabled && b.offsetParent) b.click();
    }};
    if (e.key === "Escape") ["stop", "hello-stop"].forEach(press);
    if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) press("render");
  }});
}})();
</script>"""


def show() -> str:
    """A script that uncovers the page once it speaks the visitor's language."""
    said = json.dumps({lang: text(lang, "dark") for lang in LANGUAGES}, ensure_ascii=False)
    return f"""() => {{
  document.getElementById("shade").setAttribute("aria-label", {said}[window.linlyLang]);
  document.documentElement.classList.remove("linly-wait");
  dispatchEvent(new Event("linly-lang"));
}}"""


ON_LOAD_FORM = "(lang, ...rest) => [window.linlyLang || lang, ...rest]"
ON_SWITCH = """(lang, ...rest) => {
  try { localStorage.setItem("linly-lang", lang) } catch {}
  window.linlyLang = lang;
  document.documentElement.lang = lang === "zh" ? "zh-CN" : "en";
  dispatchEvent(new Event("linly-lang"));
  return [lang, ...rest];
}"""
ON_SHADE = """() => {
  const dark = document.body.classList.toggle("dark");
  try { localStorage.setItem("linly-shade", dark ? "dark" : "light") } catch {}
}"""
