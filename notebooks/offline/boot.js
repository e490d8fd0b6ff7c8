// Starts marimo's page from what `modules.js` holds, so that it opens by a double click.
//
// A browser refuses modules, and styles that scripts may read, from file:// addresses. So the texts
// of both come in a plain script: modules become blobs that an import map names, styles become
// <style> elements. Needs a browser of 2023 or newer (import maps).
(() => {
  const { modules, styles, entry, linked } = window.__marimoPage;
  delete window.__marimoPage;
  const assets = new URL("assets/", document.currentScript.src).href;
  window.__marimoBase = assets + entry;

  const addStyle = (name) => {
    if (!(name in styles)) return;
    const style = document.createElement("style");
    // By this mark marimo finds the styles that its elements need, too.
    style.dataset.viteDevId = name;
    style.textContent = styles[name].replaceAll("url(./", `url(${assets}`);
    delete styles[name];
    document.head.append(style);
  };
  linked.forEach(addStyle);

  // What the page loads later, it announces with links, and waits for those of styles.
  const append = document.head.appendChild;
  document.head.appendChild = function (node) {
    if (node.nodeName !== "LINK" || !node.href.startsWith(assets)) return append.call(this, node);
    if (node.rel === "stylesheet") {
      addStyle(node.href.slice(assets.length));
      setTimeout(() => node.dispatchEvent(new Event("load")));
    }
    return node;
  };

  const imports = {};
  for (const [name, text] of Object.entries(modules)) {
    imports[`marimo/${name}`] = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  }
  const map = document.createElement("script");
  map.type = "importmap";
  map.textContent = JSON.stringify({ imports });
  document.head.append(map);
})();
