// Clears the page of what asks for consent to cookies and ends its animations.
// It refuses where there is a button for that, and hides otherwise; it never
// agrees to anything. What is hidden must be one of the known banners, or lie
// over the page, speak of cookies and have a button that answers.
async list => {
	const done = [];
	const shown = e => { const b = e.getBoundingClientRect(), s = getComputedStyle(e);
		return b.width > 0 && b.height > 0 && s.visibility !== 'hidden' && s.display !== 'none' && s.opacity !== '0'; };
	const tidy = s => (s || '').replace(/\s+/g, ' ').trim();
	const words = e => tidy(e.innerText || e.value || e.getAttribute('aria-label')).toLowerCase();
	const called = e => (e.tagName.toLowerCase() + (e.id ? '#' + e.id : '') + [...e.classList].slice(0, 2).map(c => '.' + c).join('')).slice(0, 80);
	const every = (root, select) => {
		const found = [...root.querySelectorAll(select)];
		for (const e of root.querySelectorAll('*')) if (e.shadowRoot) found.push(...every(e.shadowRoot, select));
		return found;
	};
	const buttons = e => every(e.shadowRoot || e, 'button,a,[role=button],input[type=button],input[type=submit]').filter(shown);
	const gone = async e => {
		for (let i = 0; i < 12 && e.isConnected && shown(e); i++) await new Promise(r => setTimeout(r, 50));
		return !e.isConnected || !shown(e);
	};
	const hide = (e, what) => { e.style.setProperty('display', 'none', 'important'); done.push('hid ' + what + ' (' + called(e) + ')'); };
	// A link that leads elsewhere is not an answer, and is not followed.
	const answers = b => b.tagName !== 'A' || !b.getAttribute('href') || /^(#|javascript:)/i.test(b.getAttribute('href'));
	const refuse = async (e, button, what) => {
		if (!button || !answers(button)) return false;
		const said = tidy(button.innerText || button.value || button.getAttribute('aria-label')).slice(0, 60);
		button.click();
		done.push('clicked “' + (said || called(button)) + '” of ' + what);
		return gone(e);
	};

	for (const k of list.known) {
		for (const select of k.banner) {
			for (const e of every(document, select)) {
				const inner = [e, ...e.querySelectorAll('*')].some(shown);
				if (!inner) continue;
				const b = k.refuse.flatMap(s => every(document, s)).find(shown);
				if (!await refuse(e, b, 'the banner of ' + k.name)) hide(e, 'the banner of ' + k.name);
			}
		}
	}

	const over = e => { const s = getComputedStyle(e); return s.position === 'fixed' || s.position === 'sticky' || e.matches('dialog[open],[popover]:popover-open'); };
	const about = e => { const w = words(e); return w.length < 3000 && list.about.some(a => w.includes(a)); };
	for (const e of every(document, 'body *')) {
		if (!e.isConnected || !over(e) || !shown(e) || !about(e)) continue;
		const all = buttons(e), no = all.find(b => list.refuse.includes(words(b)));
		if (!no && !all.some(b => list.consent.includes(words(b)))) continue;
		if (!await refuse(e, no, 'what asks for consent to cookies')) hide(e, 'what asks for consent to cookies');
	}

	// What such banners lock, they unlock when they are answered.
	if (done.length) for (const e of [document.documentElement, document.body]) {
		if (e && e.style.overflow === 'hidden') {
			e.style.removeProperty('overflow');
			done.push('let the page scroll again (' + called(e) + ')');
		}
	}

	let ended = 0, stopped = 0;
	for (const a of document.getAnimations()) {
		try {
			const t = a.effect && a.effect.getComputedTiming();
			if (t && t.endTime !== Infinity) { a.finish(); ended++; } else { a.cancel(); stopped++; }
		} catch (e) { /* one that is gone needs no end */ }
	}
	if (ended) done.push('ended ' + ended + (ended === 1 ? ' animation' : ' animations'));
	if (stopped) done.push('stopped ' + stopped + (stopped === 1 ? ' endless animation' : ' endless animations'));
	return done;
}
