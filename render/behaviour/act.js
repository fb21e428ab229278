// The hands of a behaviour, in an isolated world: the page's scripts neither see
// it nor can have changed what it calls. A click is element.click(): it hits the
// element that was checked and nothing that has slid over it, leaves no pointer
// hovering, and gives the page no right to open windows.
(op, a) => {
	const state = globalThis.candorBehaviour ||= {found: [], clicked: new WeakMap(), count: 0, scrolled: new Map()};
	// Names given to forms and pictures stand for what documents and forms have of
	// their own, here too: so neither is asked by its plain name.
	const getter = (proto, name) => { const g = Object.getOwnPropertyDescriptor(proto, name).get; return o => g.call(o); };
	const method = f => (o, ...a) => f.call(o, ...a);
	const nameOf = getter(Element.prototype, 'localName'), shadowOf = getter(Element.prototype, 'shadowRoot'), parentOf = getter(Node.prototype, 'parentElement');
	const boxOf = method(Element.prototype.getBoundingClientRect), matches = method(Element.prototype.matches), attribute = method(Element.prototype.getAttribute), has = method(Element.prototype.hasAttribute);
	const every = (root, selector) => (root === document ? Document.prototype : DocumentFragment.prototype).querySelectorAll.call(root, selector);
	const one = selector => Document.prototype.querySelector.call(document, selector);
	const elements = () => Document.prototype.getElementsByTagName.call(document, '*').length;
	const scroller = () => getter(Document.prototype, 'scrollingElement')(document) || getter(Document.prototype, 'documentElement')(document);
	const clear = s => (s || '').replace(/\s+/g, ' ').trim();
	const up = e => parentOf(e) || Node.prototype.getRootNode.call(e).host || null;
	const shown = e => {
		const box = boxOf(e);
		return box.width > 0 && box.height > 0 && Element.prototype.checkVisibility.call(e, {visibilityProperty: true});
	};
	const all = (selector, most = 500) => {
		const out = [], roots = [document];
		for (let r = 0; r < roots.length && r < 500; r++) {
			for (const e of every(roots[r], selector)) if (out.push(e) >= most) return out;
			if (roots.length < 500) for (const e of every(roots[r], '*')) if (shadowOf(e)) roots.push(shadowOf(e));
		}
		return out;
	};
	const under = (e, selector) => {
		for (; e; e = up(e)) if (matches(e, selector)) return true;
		return false;
	};
	const here = href => {
		try {
			const u = new URL(href, getter(Node.prototype, 'baseURI')(document));
			return u.protocol === 'javascript:' || u.origin + u.pathname + u.search === location.origin + location.pathname + location.search;
		} catch (e) { return false; }
	};
	// What must not be clicked, and why.
	const refused = e => {
		if (!e.isConnected) return 'gone';
		for (let p = e; p; p = up(p)) {
			const name = nameOf(p);
			if (/^(a|area)$/.test(name) && (has(p, 'href') || has(p, 'xlink:href'))) {
				const href = attribute(p, 'href') ?? attribute(p, 'xlink:href');
				if (!here(href) || has(p, 'download') || attribute(p, 'target') && attribute(p, 'target') !== '_self') return 'link';
			}
			if (name === 'button' && p.form && p.type !== 'button' || name === 'input' && !/^(button|checkbox|radio)$/.test(p.type)) return 'form';
			if (name === 'label' && p.control && !/^(checkbox|radio)$/.test(p.control.type)) return 'form';
		}
		if (e.disabled || e.getAttribute('aria-disabled') === 'true') return 'disabled';
		if (e.getAttribute('aria-expanded') === 'true') return 'open';
		if (!shown(e)) return 'hidden';
		return '';
	};
	const text = e => e.textContent.length > 600 ? '' : clear(e.innerText || e.value).slice(0, 300);
	const mark = (e, again) => text(e) + '|' + clear(e.getAttribute('aria-label')) + (again ? '|' + elements() : '');
	const box = selector => selector ? all(selector, 50).find(e => shown(e) && e.scrollHeight > e.clientHeight) : scroller();

	switch (op) {
	case 'has': {
		const out = {};
		for (const s of a.selectors) { try { out[s] = one(s) !== null; } catch (e) { out[s] = false; } }
		return out;
	}
	case 'find': {
		state.found = all(a.find).filter(e => !a.within || under(e, a.within));
		return state.found.map(e => ({text: text(e), label: clear(e.getAttribute('aria-label')).slice(0, 300), why: refused(e) || (state.clicked.get(e) === mark(e, a.again) ? 'spent' : '')}));
	}
	case 'click': {
		const chosen = a.indexes.map(i => state.found[i]).filter(e => e && !refused(e));
		let n = 0;
		for (const e of chosen) {
			if (chosen.some(o => o !== e && e.contains(o)) || refused(e)) continue; // the innermost is what answers
			state.clicked.set(e, mark(e, a.again));
			e.click();
			n++;
		}
		return n;
	}
	case 'size':
		return {height: scroller().scrollHeight};
	case 'down': {
		const e = box(a.box);
		if (!e) return {missing: true};
		if (!state.scrolled.has(e)) state.scrolled.set(e, [e.scrollTop, e.scrollLeft]);
		const view = a.box ? e.clientHeight : innerHeight;
		e.scrollBy({top: Math.max(100, view * 3 / 4), behavior: 'instant'});
		return {y: e.scrollTop, view, height: e.scrollHeight};
	}
	case 'back':
		for (const [e, [top, left]] of state.scrolled) e.scrollTo({top, left, behavior: 'instant'});
		state.scrolled.clear();
		return true;
	case 'reveal': {
		const e = all(a.find, 100).filter(shown)[a.index];
		if (!e) return false;
		for (let p = up(e); p; p = up(p)) if (p.scrollHeight > p.clientHeight && !state.scrolled.has(p)) state.scrolled.set(p, [p.scrollTop, p.scrollLeft]);
		e.scrollIntoView({block: 'center', behavior: 'instant'});
		return true;
	}
	case 'count':
		return a.counts.map(c => {
			if (c.when && !one(c.when)) return {on: false};
			return {on: true, shown: all(c.shown, 100000).filter(shown).length, stated: c.find ? all(c.find, 20).filter(shown).map(e => clear(e.innerText).slice(0, 300)) : []};
		});
	}
	return null;
}
