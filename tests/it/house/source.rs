//! A file of `src/`, reduced to what the rules look at: the paths and the panics that its code names.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// A path such as `crate::storage::Db` and the line where it ends.
#[derive(Debug)]
pub struct Mention {
    pub line: usize,
    /// `["crate", "storage", "Db"]`, with `super` and `self` resolved, or the name of another crate first.
    pub path: Vec<String>,
}

/// What the rules need to know of a file. Items under `#[cfg(test)]` are left out.
#[derive(Debug)]
pub struct Source {
    /// The file, below `src/`.
    pub file: String,
    /// Its module, such as `["storage", "db"]`; empty for lib.rs.
    pub module: Vec<String>,
    /// Paths that the code names.
    pub mentions: Vec<Mention>,
    /// Where it says `unwrap`, `expect`, `panic!` and their like.
    pub panics: Vec<(usize, String)>,
    /// Lines with a mark of unfinished work.
    pub unfinished: Vec<usize>,
    /// Modules in other files that this one declares for tests alone, such as `ephemeral::suite`.
    pub test_modules: Vec<String>,
}

impl Source {
    pub fn read(file: &str, content: &str) -> Self {
        let module = module_of(file);
        let mut source = Self {
            file: file.to_owned(),
            module: module.clone(),
            mentions: Vec::new(),
            panics: Vec::new(),
            unfinished: lines_with(content, &["TODO", "FIXME", "XXX", "HACK"]),
            test_modules: Vec::new(),
        };
        let stream = content.parse().unwrap_or_else(|error| panic!("{file} is not Rust: {error}"));
        source.walk(stream, &module);
        source
    }

    /// Whether the file is the module `path` (`ephemeral::suite`), or below it.
    pub fn is_within(&self, path: &str) -> bool {
        self.module
            .join("::")
            .strip_prefix(path)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    }

    fn walk(&mut self, stream: TokenStream, module: &[String]) {
        let tokens = self.without_tests(stream, module);
        self.panics.extend((0..tokens.len()).filter_map(|at| panic_at(&tokens, at)));
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            match token {
                // `impl Trait + use<'a>` is no import.
                TokenTree::Ident(word) if word == "use" && !is_punct(tokens.get(at + 1), '<') => {
                    let end = end_of_statement(&tokens, at);
                    self.use_tree(&tokens[at + 1..end], &[], module);
                    at = end;
                }
                TokenTree::Ident(_) => at = self.path(&tokens, at, module),
                TokenTree::Group(group) => {
                    let inline = inline_module(&tokens, at);
                    self.walk(group.stream(), &[module, &inline].concat());
                    at += 1;
                }
                TokenTree::Literal(_) | TokenTree::Punct(_) => at += 1,
            }
        }
    }

    /// Notes a path in code, `a::b::c`, and returns where it ends; a lone name is no path.
    fn path(&mut self, tokens: &[TokenTree], start: usize, module: &[String]) -> usize {
        let mut at = start;
        let mut names = Vec::new();
        while let Some(TokenTree::Ident(name)) = tokens.get(at) {
            names.push(name);
            at += 1;
            if !is_double_colon(tokens, at) || !matches!(tokens.get(at + 2), Some(TokenTree::Ident(_))) {
                break;
            }
            at += 2;
        }
        if let [_, .., last] = names[..] {
            let path = names.iter().map(ToString::to_string).collect();
            self.mentions.push(Mention { line: last.span().start().line, path: resolve(path, module) });
        }
        at
    }

    /// Notes every leaf of a `use` tree below `stem`.
    fn use_tree(&mut self, tokens: &[TokenTree], stem: &[String], module: &[String]) {
        let mut path = stem.to_vec();
        let mut line = None;
        for token in tokens {
            match token {
                TokenTree::Ident(name) if name == "as" => break,
                TokenTree::Ident(name) => {
                    path.push(name.to_string());
                    line = Some(name.span().start().line);
                }
                TokenTree::Group(group) => return self.use_branches(group, &path, module),
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
        if let Some(line) = line {
            self.mentions.push(Mention { line, path: resolve(path, module) });
        }
    }

    fn use_branches(&mut self, group: &Group, stem: &[String], module: &[String]) {
        let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
        for branch in tokens.split(|token| is_punct(Some(token), ',')) {
            self.use_tree(branch, stem, module);
        }
    }

    /// The tokens without the items under `#[cfg(test)]`; notes the test modules that live in other files.
    fn without_tests(&mut self, stream: TokenStream, module: &[String]) -> Vec<TokenTree> {
        let tokens: Vec<TokenTree> = stream.into_iter().collect();
        let mut kept = Vec::new();
        let mut at = 0;
        while at < tokens.len() {
            if is_punct(tokens.get(at), '#') && is_cfg_test(tokens.get(at + 1)) {
                let end = end_of_item(&tokens, at + 2);
                if let [.., TokenTree::Ident(keyword), TokenTree::Ident(name), TokenTree::Punct(_)] =
                    &tokens[at..end]
                    && keyword == "mod"
                {
                    self.test_modules.push([module, &[name.to_string()]].concat().join("::"));
                }
                at = end;
            } else if is_punct(tokens.get(at + 1), '!') && is_cfg_test(tokens.get(at + 2)) {
                break; // `#![cfg(test)]`: all of it
            } else {
                kept.push(tokens[at].clone());
                at += 1;
            }
        }
        kept
    }
}

/// The module of a file below `src/`. main.rs counts as the module `main`.
fn module_of(file: &str) -> Vec<String> {
    let path = file.trim_end_matches(".rs").trim_end_matches("/mod");
    path.split('/').filter(|name| *name != "lib").map(str::to_owned).collect()
}

/// A path from the root of the crate: `super::x` inside `a::b` is `crate::a::x`.
fn resolve(path: Vec<String>, module: &[String]) -> Vec<String> {
    let depth = path.iter().take_while(|name| *name == "super").count();
    let (base, rest) = match path[0].as_str() {
        "super" => (&module[..module.len().saturating_sub(depth)], &path[depth..]),
        // `self::super::x` is `super::x`.
        "self" if path.get(1).is_some_and(|name| name == "super") => {
            return resolve(path[1..].to_vec(), module);
        }
        "self" => (module, &path[1..]),
        "crate" | "kenpos_idp" => (&[][..], &path[1..]),
        _ => return path,
    };
    [&["crate".to_owned()], base, rest].concat()
}

fn lines_with(content: &str, words: &[&str]) -> Vec<usize> {
    let numbered = content.lines().enumerate();
    numbered.filter(|(_, line)| words.iter().any(|word| line.contains(word))).map(|(at, _)| at + 1).collect()
}

/// `.unwrap()`, `Option::unwrap`, `panic!` and their like.
fn panic_at(tokens: &[TokenTree], at: usize) -> Option<(usize, String)> {
    let TokenTree::Ident(word) = &tokens[at] else { return None };
    let name = word.to_string();
    let before = at.checked_sub(1).and_then(|before| tokens.get(before));
    let panics = match name.as_str() {
        "unwrap" | "expect" => is_punct(before, '.') || is_punct(before, ':'),
        "panic" | "unreachable" | "todo" | "unimplemented" => is_punct(tokens.get(at + 1), '!'),
        _ => false,
    };
    panics.then(|| (word.span().start().line, name))
}

/// The name of the inline module whose body is the group at `at`.
fn inline_module(tokens: &[TokenTree], at: usize) -> Vec<String> {
    match &tokens[..at] {
        [.., TokenTree::Ident(keyword), TokenTree::Ident(name)] if keyword == "mod" => vec![name.to_string()],
        _ => Vec::new(),
    }
}

fn end_of_statement(tokens: &[TokenTree], from: usize) -> usize {
    (from..tokens.len()).find(|at| is_punct(tokens.get(*at), ';')).unwrap_or(tokens.len())
}

/// Past the body in braces or the semicolon that ends the item at `from`.
fn end_of_item(tokens: &[TokenTree], from: usize) -> usize {
    let ends = |token: &TokenTree| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        token => is_punct(Some(token), ';'),
    };
    (from..tokens.len()).find(|at| ends(&tokens[*at])).map_or(tokens.len(), |at| at + 1)
}

fn is_punct(token: Option<&TokenTree>, wanted: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == wanted)
}

fn is_double_colon(tokens: &[TokenTree], at: usize) -> bool {
    is_punct(tokens.get(at), ':') && is_punct(tokens.get(at + 1), ':')
}

fn is_cfg_test(token: Option<&TokenTree>) -> bool {
    matches!(token, Some(TokenTree::Group(group))
        if group.stream().to_string().replace(char::is_whitespace, "") == "cfg(test)")
}
