
	// The source of a sheet, unless scripts have changed its rules: rule text
	// loses shorthands that hold var() beside one of their longhands. Undefined
	// stands for the source of a sheet that only the recorder has.
	const HUGE = 2 << 20; // from here on it is not compared, which takes seconds
	const sheetText = (sheet, source, address) => {
		let rules;
		try { rules = sheet.cssRules; } catch { return source; } // another origin's: what was received
		if (source === undefined && !opts.changed) return undefined;
		if (source !== undefined) {
			if ((!opts.changed || source.length > HUGE) && (rules.length || !source.trim())) return source;
			const live = rulesOf(rules);
			try {
				const again = new CSSStyleSheet({baseURL: address});
				again.replaceSync(source);
				const was = rulesOf(again.cssRules), more = live.length - was.length;
				if (more >= 0 && was.length) {
					if (was.every((r, i) => r === live[i])) return more ? source + '\n' + live.slice(was.length).join('\n') : source;
					if (more && !/@(import|namespace|charset)/i.test(source) && was.every((r, i) => r === live[i + more])) return live.slice(0, more).join('\n') + '\n' + source;
				} else if (!was.length && !live.length) return source;
			} catch {} // what cannot be read again is written as it is
		}
		const out = [];
		for (const r of rules) out.push(r.cssText);
		return out.join('\n');
	};
	// A sheet is written into every root that adopts it. One that has grown past
	// reason so goes on with the rules that anything in a root can match.
	const PLENTY = 4 << 20, adoptedPart = new Map(), spent = new Map();
	const fitting = (s, r) => [...s.cssRules].filter(rule => {
		if (!(rule instanceof CSSStyleRule) || /:host|::slotted|::part|&/.test(rule.selectorText)) return true;
		try { return r.querySelector(rule.selectorText.replace(/::?(before|after|marker|placeholder|first-line|first-letter|selection|backdrop|[\w-]*hover|focus[\w-]*|active)\b/g, '') || '*') !== null; } catch { return true; }
	}).map(rule => rule.cssText).join('\n');
	const adopted = r => adoptedOf(r).map(s => {
		const size = (spent.get(s) || 0) + textOfAdopted(s).length;
		spent.set(s, size);
		if (!adoptedPart.has(s)) adoptedPart.set(s, part({k: 'css', text: textOfAdopted(s), base, esc: 'style'}));
		if (size > PLENTY && r !== document) return '<style data-candor-adopted' + (s.media.mediaText ? attribute('media', query(s.media.mediaText)) : '') + '>' + part({k: 'css', text: fitting(s, r), base, esc: 'style'}) + '</style>';
		return '<style data-candor-adopted' + (s.media.mediaText ? attribute('media', query(s.media.mediaText)) : '') + '>' + adoptedPart.get(s) + '</style>';
	}).join('');

	// Queries for scripting are answered as they were: with yes.
	const query = m => value(m.replace(/\(\s*scripting\s*:\s*(none|initial-only)\s*\)/gi, '(max-width:0px)').replace(/\(\s*scripting\s*(:\s*enabled\s*)?\)/gi, '(min-width:0px)'));
	const mediaOf = (s, el) => {
		const m = !s ? el.media || '' : s.disabled || s.title && !applies(s) ? 'not all' : s.media.mediaText || '';
		return m ? attribute('media', query(m)) : '';
	};
	// Which of the sheets with a title count is the browser's affair: a rule put
	// in for a moment tells.
	let probes = 0;
	const applies = s => {
		const name = '--candor-probe-' + ++probes;
		try {
			const media = s.media.mediaText && !matchMedia(s.media.mediaText).matches, n = s.insertRule(':root{' + name + ':1}', s.cssRules.length);
			const is = media || getComputedStyle(root).getPropertyValue(name) !== '';
			s.deleteRule(n);
			return is;
		} catch { return true; } // another origin's
	};
	const link = el => {
		const rel = (el.rel || '').toLowerCase();
		if (!/\bstylesheet\b/.test(rel)) return '<link' + attributes(el, ['rel', 'href', 'imagesrcset', 'imagesizes', 'as', 'type']) + original('rel', el.rel) + original('href', el.href) + '>';
		const s = el.sheet, skip = ['rel', 'href', 'media', 'title', 'type', 'charset', 'disabled', 'as'];
		let body = '';
		if (s && !s.disabled && !(s.title && !applies(s))) {
			const t = sheetText(s, opts.sources[bare(el.href)], el.href);
			body = part(t === undefined || t === opts.sources[bare(el.href)] ? {k: 'css', url: el.href, base: el.href, esc: escaped(el)} : {k: 'css', text: t, base: el.href, esc: escaped(el)});
		}
		return '<style' + attributes(el, skip) + original('href', el.href) + mediaOf(s, el) + '>' + body + '</style>';
	};
	// Where the parser may pass over a style element, its rules are words to it:
	// so there no "<" is left in them.
	const escaped = el => namespaceOf(el) !== HTML ? 'text' : Element.prototype.closest.call(el, 'select,frameset') ? 'bare' : 'style';
	const sheet = el => {
		const s = el.sheet, raw = contentOf(el), skip = ['title', 'media'];
		const css = !s ? raw : sheetText(s, raw, base), off = !s && /^(text\/css)?$/i.test(el.type || ''); // refused by the page's own policy
		return '<style' + attributes(el, skip) + (off ? attribute('media', 'not all') : mediaOf(s, el)) + '>' + part({k: 'css', text: css, base, esc: escaped(el)}) + '</style>';
	};
	// Sheets that an XML document names before its root.
	const instructions = () => {
		let out = '';
		for (const s of sheetsOf(document)) if (s.ownerNode instanceof ProcessingInstruction && s.href) out += '<style' + mediaOf(s) + '>' + part({k: 'css', url: s.href, base: s.href, esc: 'style'}) + '</style>';
		return out;
	};
