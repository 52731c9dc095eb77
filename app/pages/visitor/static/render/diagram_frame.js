/**
 * Runs in the frame that draws diagrams (a plain script): it has no rights, no origin and no storage, and loads nothing
 * but itself and Mermaid. It hears {id, source} from the page around it and answers {id, svg, width, height}, or {id}.
 */
(() => {
  const { mermaid } = globalThis;
  mermaid?.initialize({
    startOnLoad: false, securityLevel: "strict", suppressErrorRendering: true, theme: "neutral", htmlLabels: false,
    flowchart: { htmlLabels: false }, maxTextSize: 20_000, maxEdges: 300, fontFamily: "sans-serif",
  });

  async function draw(id, source) {
    const { svg } = await mermaid.render(`diagram-${id}`, source);
    const drawing = new DOMParser().parseFromString(svg, "text/html").querySelector("svg");
    const [, , width, height] = drawing.getAttribute("viewBox").split(/[\s,]+/).map(Number);
    drawing.setAttribute("width", width);
    drawing.setAttribute("height", height);
    // Written as XML, which pictures must be.
    return { svg: new XMLSerializer().serializeToString(drawing), width, height };
  }

  addEventListener("message", async ({ source: asking, data }) => {
    if (asking !== parent) return;
    const nothing = { id: data.id };
    const drawn = mermaid ? await draw(data.id, data.source).catch(() => ({})) : {};
    parent.postMessage({ ...nothing, ...drawn }, "*");
  });
})();
