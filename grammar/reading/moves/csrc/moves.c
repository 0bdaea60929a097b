// The way of a text through the parser's tables, as moves: see moves/plain.py, which does the same in Python.
//
// It knows nothing of the language but what its pieces look like (call.lark has them as patterns, and a
// test holds that these are still those).  It builds nothing, says nothing, and keeps nothing: where a
// text has what the tables do not expect, it ends.

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#define EXPORT __attribute__((visibility("default")))

enum { WRONG = -1, MORE_ROOM = -2 };
enum kind { NAME, TEXT, NEWLINE, DURATION, NUMBER, CALLEE, LITERAL, ESCAPE, END, COMMENT, KINDS };
enum bracket { NO_BRACKET, FREE, BLOCK, QUOTE, CLOSE };
enum { LETTERS = 128, UNCALLED = 4, NUMBERS = 6 };

struct step {
    int16_t takes;   // a piece; otherwise it is a reduction
    int16_t to;      // the state after a piece
    int16_t size;    // how much is reduced
    int16_t what;    // what the piece is to Python; -1: nobody asks for it
    int16_t bracket; // what the piece opens or closes
    int16_t build;   // what makes a value; -1: nothing does
    int16_t inner;   // the value is the one inside, and its place is that one's
    int16_t after;   // which row of `gotos` follows
};

struct tables {
    int32_t states, kinds, steps, rows, nodes, start, end, comment;
    const int16_t *actions; // by state and kind: a step's number and 1, or 0
    const struct step *step;
    const int16_t *gotos;     // by row and state: the state that follows, or -1
    const int16_t *letters;   // by node and letter: the node that follows, or 0
    const int16_t *words;     // by node: the kind of the word or mark that ends there, or -1
    int16_t kind[KINDS];      // what each of `enum kind` is among the kinds; -1: nothing
    int16_t uncalled[UNCALLED]; // words that name no function before a bracket
};

struct place {
    int32_t line, column, end_line, end_column;
    int32_t depth; // so many values stand in one another there
};

struct entry {
    int32_t state, first; // where among the values that which led here begins
};

struct reading {
    const struct tables *tables;
    const uint32_t *text;
    int32_t size, at, line, began; // a column is how far a place is from where its line began
    struct entry *stack;
    struct place *values;
    uint8_t *open;
    int32_t depth, stack_room, count, values_room, opened, open_room;
    int32_t end_line, end_column; // where the last value ends
    int32_t *out;
    int32_t given, most, deepest;
    bool full;
};

struct piece {
    int32_t kind, word, start;
    bool called;
};

// Where things are kept.

// Give memory with room for one more than `count`, or nothing: then the old one is still there.
static void *grown(void *memory, int32_t *room, int32_t count, size_t each) {
    if (count < *room)
        return memory;
    int32_t more = *room ? *room * 2 : 256;
    void *moved = realloc(memory, (size_t)more * each);
    if (moved)
        *room = more;
    return moved;
}

static bool push(struct reading *r, int state, int32_t first) {
    struct entry *stack = grown(r->stack, &r->stack_room, r->depth, sizeof *stack);
    if (!stack)
        return false;
    r->stack = stack;
    r->stack[r->depth++] = (struct entry){state, first};
    return true;
}

static bool keep(struct reading *r, struct place place) {
    struct place *values = grown(r->values, &r->values_room, r->count, sizeof *values);
    if (!values)
        return false;
    r->values = values;
    r->values[r->count++] = place;
    return true;
}

static bool tell(struct reading *r, int what, int32_t given, struct place place) {
    if (r->given >= r->most) {
        r->full = true;
        return false;
    }
    int32_t *move = r->out + (size_t)r->given++ * NUMBERS;
    move[0] = what, move[1] = given;
    move[2] = place.line, move[3] = place.column, move[4] = place.end_line, move[5] = place.end_column;
    return true;
}

// Pieces.

static uint32_t letter(const struct reading *r, int32_t at) {
    return at < r->size ? r->text[at] : 0;
}

static bool is_digit(uint32_t c) { return c >= '0' && c <= '9'; }
static bool begins_name(uint32_t c) { return (c >= 'a' && c <= 'z') || c == '_'; }
static bool goes_on(uint32_t c) { return begins_name(c) || is_digit(c); }
static bool is_literal(uint32_t c) { return c != '"' && c != '\\' && c != '{' && (c > 0x1f || c == '\t'); }

static bool name(struct reading *r, struct piece *p) {
    int node = 0;
    bool known = true;
    for (; goes_on(letter(r, r->at)); r->at++) {
        node = known ? r->tables->letters[node * LETTERS + r->text[r->at]] : 0;
        known = known && node;
    }
    p->word = known ? r->tables->words[node] : -1;
    p->kind = NAME;
    if (letter(r, r->at) != '(')
        return true;
    p->called = true;
    for (int i = 0; p->word >= 0 && i < UNCALLED; i++)
        p->called = p->called && p->word != r->tables->uncalled[i];
    p->kind = p->called ? CALLEE : KINDS;
    return true;
}

static bool mark(struct reading *r, struct piece *p) {
    int node = 0;
    int32_t end = r->at;
    for (int32_t at = r->at; at < r->size && r->text[at] < LETTERS; at++) {
        node = r->tables->letters[node * LETTERS + r->text[at]];
        if (!node)
            break;
        if (r->tables->words[node] >= 0)
            p->word = r->tables->words[node], end = at + 1;
    }
    bool found = end > r->at;
    r->at = end;
    return found;
}

static bool number(struct reading *r, struct piece *p) {
    p->kind = NUMBER;
    while (is_digit(letter(r, r->at)))
        r->at++;
    if (letter(r, r->at) == '.' && is_digit(letter(r, r->at + 1)))
        for (r->at++; is_digit(letter(r, r->at));)
            r->at++;
    uint32_t unit = letter(r, r->at);
    if (unit != 's' && unit != 'm' && unit != 'h')
        return true;
    int32_t end = r->at + 1 + (unit == 'm' && letter(r, r->at + 1) == 's');
    uint32_t next = letter(r, end);
    if (!goes_on(next) && !(next >= 'A' && next <= 'Z'))
        p->kind = DURATION, r->at = end;
    return true;
}

static bool text(struct reading *r, struct piece *p) {
    int32_t at = r->at + 1;
    while (at < r->size && is_literal(r->text[at]))
        at++;
    if (letter(r, at) != '"')
        return mark(r, p);
    p->kind = TEXT;
    r->at = at + 1;
    return true;
}

static bool ends_line(const struct reading *r) {
    return letter(r, r->at) == '\n' || (letter(r, r->at) == '\r' && letter(r, r->at + 1) == '\n');
}

static bool is_blank(uint32_t c) { return c == ' ' || c == '\t'; }

static bool newline(struct reading *r, struct piece *p) {
    p->kind = NEWLINE;
    while (ends_line(r)) {
        r->at += letter(r, r->at) == '\r';
        r->line++;
        r->began = r->at++;
        while (is_blank(letter(r, r->at)))
            r->at++;
    }
    return true;
}

static bool outside(struct reading *r, struct piece *p) {
    while (is_blank(letter(r, r->at)))
        r->at++;
    p->start = r->at;
    uint32_t c = letter(r, r->at);
    if (r->at >= r->size) {
        p->kind = END;
        return true;
    }
    if (begins_name(c))
        return name(r, p);
    if (c == '"')
        return text(r, p);
    if (is_digit(c))
        return number(r, p);
    if (ends_line(r))
        return newline(r, p);
    if (c != '#')
        return mark(r, p);
    p->kind = COMMENT;
    while (r->at < r->size && r->text[r->at] != '\n')
        r->at++;
    return true;
}

static bool inside(struct reading *r, struct piece *p) {
    p->start = r->at;
    uint32_t c = letter(r, r->at), next = letter(r, r->at + 1);
    if (is_literal(c) && r->at < r->size) {
        p->kind = LITERAL;
        while (r->at < r->size && is_literal(r->text[r->at]))
            r->at++;
        return true;
    }
    if (c != '\\')
        return mark(r, p);
    p->kind = ESCAPE;
    r->at += 2;
    return next == '"' || next == '\\' || next == 'n' || next == 't' || next == '{';
}

// Moves.

static int action(const struct reading *r, int kind) {
    int state = r->stack[r->depth - 1].state;
    return kind < 0 ? 0 : r->tables->actions[state * r->tables->kinds + kind];
}

// Give which of several things a piece is here: a word of the language where one can stand, or its kind.
static int meant(const struct reading *r, const struct piece *p) {
    const int16_t *kind = r->tables->kind;
    if (p->kind == CALLEE && action(r, kind[CALLEE]))
        return kind[CALLEE];
    if (p->word >= 0 && action(r, p->word))
        return p->word;
    return p->kind == CALLEE ? kind[NAME] : p->kind < KINDS ? kind[p->kind] : -1;
}

static bool reduce(struct reading *r, const struct step *s) {
    if (s->size >= r->depth)
        return false;
    int32_t first = s->size ? r->stack[r->depth - s->size].first : r->count;
    r->depth -= s->size;
    if (s->build >= 0) {
        int32_t given = r->count - first;
        struct place place = {r->end_line, r->end_column, r->end_line, r->end_column, 1};
        if (given)
            place.line = r->values[first].line, place.column = r->values[first].column;
        for (int32_t i = first; i < r->count; i++)
            if (place.depth <= r->values[i].depth)
                place.depth = r->values[i].depth + 1;
        if (place.depth > r->deepest)
            r->deepest = place.depth;
        if (!tell(r, s->build, given, place))
            return false;
        if (s->inner) {
            if (given < 2)
                return false;
            int32_t depth = place.depth;
            place = r->values[first + 1];
            place.depth = depth;
            r->end_line = place.end_line, r->end_column = place.end_column;
        }
        r->count = first;
        if (!keep(r, place))
            return false;
    }
    int row = s->after * r->tables->states, to = r->tables->gotos[row + r->stack[r->depth - 1].state];
    return to >= 0 && push(r, to, first);
}

static bool bracket(struct reading *r, int bracket) {
    bool closes = bracket == CLOSE || (bracket == QUOTE && r->opened && r->open[r->opened - 1] == QUOTE);
    if (closes)
        return r->opened-- > 0;
    uint8_t *open = grown(r->open, &r->open_room, r->opened, sizeof *open);
    if (!open)
        return false;
    r->open = open;
    r->open[r->opened++] = (uint8_t)bracket;
    return true;
}

static bool take(struct reading *r, const struct step *s, int32_t start) {
    if (!push(r, s->to, r->count))
        return false;
    if (s->what < 0)
        return true;
    struct place place = {r->line, start - r->began, r->line, r->at - r->began, 1};
    r->end_line = place.end_line, r->end_column = place.end_column;
    if (!tell(r, s->what, start, place) || (s->build >= 0 && !tell(r, s->build, 1, place)))
        return false;
    return keep(r, place) && (s->bracket == NO_BRACKET || bracket(r, s->bracket));
}

static bool step(struct reading *r, int kind, int32_t start) {
    int number = action(r, kind);
    while (number && !r->tables->step[number - 1].takes) {
        if (!reduce(r, &r->tables->step[number - 1]))
            return false;
        number = action(r, kind);
    }
    if (kind == r->tables->kind[END])
        return !number && r->stack[r->depth - 1].state == r->tables->end;
    return number && take(r, &r->tables->step[number - 1], start);
}

static bool run(struct reading *r) {
    if (!push(r, r->tables->start, 0))
        return false;
    for (;;) {
        struct piece p = {.kind = KINDS, .word = -1};
        uint8_t inner = r->opened ? r->open[r->opened - 1] : NO_BRACKET;
        if (!(inner == QUOTE ? inside(r, &p) : outside(r, &p)))
            return false;
        if (p.kind == END)
            return step(r, r->tables->kind[END], p.start);
        if (p.kind == NEWLINE && inner == FREE)
            continue;
        if (p.kind == COMMENT) {
            struct place place = {r->line, p.start - r->began, r->line, r->at - r->began, 0};
            if (!tell(r, r->tables->comment, p.start, place))
                return false;
        } else if (!step(r, meant(r, &p), p.start)) {
            return false;
        }
    }
}

// Write the moves of a text to `out`, which has room for so many, and to `depth` how many values stand in
// one another at most; give how many moves there are, or why there are none.
EXPORT int32_t moves_of(
    const struct tables *tables, const uint32_t *text, int32_t size, int32_t *out, int32_t most, int32_t *depth
) {
    struct reading r = {.tables = tables, .text = text, .size = size, .line = 1, .began = -1};
    r.end_line = r.end_column = 1;
    r.out = out, r.most = most;
    bool done = run(&r) && r.count == 1;
    *depth = r.deepest;
    free(r.stack);
    free(r.values);
    free(r.open);
    return done ? r.given : r.full ? MORE_ROOM : WRONG;
}

static bool within(int32_t least, int32_t number, int32_t most) { return number >= least && number < most; }

static bool all_within(const int16_t *numbers, int32_t count, int32_t least, int32_t most) {
    for (int32_t i = 0; i < count; i++)
        if (!within(least, numbers[i], most))
            return false;
    return true;
}

// Say whether tables of this size are ours, and nothing in them leads out of them: `moves_of` trusts that.
EXPORT bool moves_trust(const struct tables *t, size_t size) {
    if (size != sizeof *t)
        return false;
    for (int32_t i = 0; i < t->steps; i++) {
        const struct step *s = &t->step[i];
        if (s->takes ? !within(0, s->to, t->states) : !within(0, s->after, t->rows) || s->size < 0)
            return false;
        if (!within(NO_BRACKET, s->bracket, CLOSE + 1))
            return false;
    }
    return within(0, t->start, t->states) && all_within(t->actions, t->states * t->kinds, 0, t->steps + 1)
        && all_within(t->gotos, t->rows * t->states, -1, t->states)
        && all_within(t->letters, t->nodes * LETTERS, 0, t->nodes)
        && all_within(t->words, t->nodes, -1, t->kinds) && all_within(t->kind, KINDS, 0, t->kinds);
}
