// watch notes whether the page reacts to being photographed: what its document
// is before the view is resized, and what it has become since. It says once how
// restless the page was by itself.
() => {
	const w = globalThis.candorWatch = {resized: false, restless: 0, attributes: new Map(), texts: new Map(), nodes: new Map()};
	// Boxes as wide as the view lose their scroll offset while it is resized. They
	// get it back when the page hears of the resizing, which is before it is painted.
	const scrolled = [];
	const find = root => {
		for (const e of root.querySelectorAll('*')) {
			if (e !== document.documentElement && e !== document.body && (e.scrollLeft || e.scrollTop)) scrolled.push([e, e.scrollLeft, e.scrollTop]);
			if (e.shadowRoot) find(e.shadowRoot);
		}
	};
	find(document);
	const back = () => {
		for (const [e, left, top] of scrolled) if (e.scrollLeft !== left || e.scrollTop !== top) e.scrollTo({left, top, behavior: 'instant'});
	};
	addEventListener('resize', back, true);
	const on = () => { w.resized = true; };
	for (const kind of ['resize', 'scroll']) addEventListener(kind, on, true);
	w.note = list => {
		for (const m of list) {
			if (!w.resized) { w.restless++; continue; }
			if (m.type === 'attributes') {
				const known = w.attributes.get(m.target) || w.attributes.set(m.target, new Map()).get(m.target);
				const name = (m.attributeNamespace || '') + '\n' + m.attributeName;
				if (!known.has(name)) known.set(name, m.oldValue);
			} else if (m.type === 'characterData') {
				if (!w.texts.has(m.target)) w.texts.set(m.target, m.oldValue);
			} else {
				for (const n of m.addedNodes) w.nodes.set(n, (w.nodes.get(n) || 0) + 1);
				for (const n of m.removedNodes) w.nodes.set(n, (w.nodes.get(n) || 0) - 1);
			}
		}
	};
	w.seen = new MutationObserver(w.note);
	w.seen.observe(document, {subtree: true, childList: true, attributes: true, attributeOldValue: true, characterData: true, characterDataOldValue: true});
	w.count = () => {
		w.note(w.seen.takeRecords());
		let n = 0;
		for (const [e, known] of w.attributes) for (const [name, old] of known) {
			const [space, local] = name.split('\n');
			if (e.getAttributeNS(space || null, local) !== old) n++;
		}
		for (const [t, old] of w.texts) if (t.data !== old) n++;
		for (const [, net] of w.nodes) if (net) n++;
		w.attributes.clear(); w.texts.clear(); w.nodes.clear();
		return n;
	};
	w.end = () => {
		for (const kind of ['resize', 'scroll']) removeEventListener(kind, on, true);
		removeEventListener('resize', back, true);
		w.seen.disconnect();
		delete globalThis.candorWatch;
	};
}
