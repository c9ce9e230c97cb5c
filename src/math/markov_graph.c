/*
 * markov_graph.c
 *	  Markov chains as graphs: who can reach whom, and what is not defined.
 *
 * Here it counts whether a probability is above 0, not how far.
 * Promises: see markov.h.
 */
#include "math/markov.h"

#include <math.h>
#include <string.h>

#define ROW(a, n, i) ((a) + (size_t) (i) * (size_t) (n))

static bool
markov_graph_row_known(int n, const double *p, int i)
{
	return !isnan(ROW(p, n, i)[0]);
}

void
markov_graph(int n, const double *p, uint64_t *into, MarkovGraph *graph)
{
	graph->n = n;
	graph->words = MARKOV_GRAPH_WORDS(n);
	graph->into = into;
	memset(into, 0, sizeof(uint64_t) * graph->words * (size_t) n);
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
			if (ROW(p, n, i)[j] > 0)
				ROW(into, graph->words, j)[i / 64] |= UINT64_C(1) << (i % 64);
}

void
markov_mark(const MarkovGraph *graph, int target, int avoid, int mark, int *marks, int *stack)
{
	int			height = 0;

	if (marks[target] != MARKOV_DEFINED)
		return;
	marks[target] = mark;
	stack[height++] = target;
	while (height > 0)
	{
		int			at = stack[--height];
		const uint64_t *row = ROW(graph->into, graph->words, at);

		if (at == avoid)
			continue;
		for (size_t w = 0; w < graph->words; w++)
		{
			uint64_t	bits = row[w];

			for (int i = (int) w * 64; bits != 0; bits >>= 1, i++)
			{
				if ((bits & 1) == 0 || marks[i] != MARKOV_DEFINED)
					continue;
				marks[i] = mark;
				stack[height++] = i;
			}
		}
	}
}

void
markov_unknowns(const MarkovGraph *graph, const double *p, int *unknown, int *stack)
{
	for (int i = 0; i < graph->n; i++)
		unknown[i] = MARKOV_DEFINED;
	for (int i = 0; i < graph->n; i++)
		if (!markov_graph_row_known(graph->n, p, i))
			markov_mark(graph, i, -1, i, unknown, stack);
}

/*
 * Tarjan's search without recursion.  "low" is the earliest state on the stack
 * that can be reached; a state that reaches none before itself ends a class.
 */
static int
strong_components(int n, const double *p, int *class_of, int *work)
{
	int		   *index = work;
	int		   *low = work + n;
	int		   *next = work + 2 * n;
	int		   *open = work + 3 * n;
	int		   *path = work + 4 * n;
	int			classes = 0;
	int			seen = 0;
	int			opened = 0;

	for (int i = 0; i < n; i++)
		index[i] = class_of[i] = -1;
	for (int root = 0; root < n; root++)
	{
		int			depth = 0;

		if (index[root] >= 0)
			continue;
		path[depth++] = root;
		while (depth > 0)
		{
			int			at = path[depth - 1];
			const double *row = ROW(p, n, at);
			int			to;

			if (index[at] < 0)
			{
				index[at] = low[at] = seen++;
				next[at] = 0;
				open[opened++] = at;
			}
			for (to = next[at]; to < n; to++)
			{
				if (!(row[to] > 0) || class_of[to] >= 0)
					continue;
				if (index[to] < 0)
					break;
				if (low[to] < low[at])
					low[at] = low[to];
			}
			next[at] = to;
			if (to < n)
			{
				path[depth++] = to;
				continue;
			}
			depth--;
			if (low[at] < index[at])
				continue;
			do
				class_of[open[--opened]] = classes;
			while (open[opened] != at);
			classes++;
		}
	}
	return classes;
}

int
markov_classes(int n, const double *p, int *class_of, int *work)
{
	int			classes = strong_components(n, p, class_of, work);
	int			by_number = 0;

	for (int c = 0; c < classes; c++)
		work[c] = -1;
	for (int i = 0; i < n; i++)
	{
		if (work[class_of[i]] < 0)
			work[class_of[i]] = by_number++;
		class_of[i] = work[class_of[i]];
	}
	return classes;
}

void
markov_closed(int n, const double *p, const int *class_of, int classes, bool *closed)
{
	for (int c = 0; c < classes; c++)
		closed[c] = true;
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
			if (ROW(p, n, i)[j] > 0 && class_of[j] != class_of[i])
				closed[class_of[i]] = false;
}

static int
common_divisor(int a, int b)
{
	while (b != 0)
	{
		int			rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

int
markov_period(int n, const double *p, const int *class_of, int class_number, int *work)
{
	int		   *level = work;
	int		   *queue = work + n;
	int			head = 0;
	int			tail = 0;
	int			period = 0;

	for (int i = 0; i < n; i++)
		level[i] = -1;
	for (int i = 0; i < n && tail == 0; i++)
	{
		if (class_of[i] != class_number)
			continue;
		level[i] = 0;
		queue[tail++] = i;
	}
	while (head < tail)
	{
		int			at = queue[head++];

		for (int j = 0; j < n; j++)
		{
			if (!(ROW(p, n, at)[j] > 0) || class_of[j] != class_number)
				continue;
			if (level[j] < 0)
			{
				level[j] = level[at] + 1;
				queue[tail++] = j;
			}
			period = common_divisor(period, level[at] + 1 > level[j] ?
									level[at] + 1 - level[j] : level[j] - level[at] - 1);
		}
	}
	return period;
}

void
markov_passage_causes(const MarkovGraph *graph, const double *p, const int *unknown, int target,
					  int *causes, int *work)
{
	int			n = graph->n;
	int		   *reaches = work;
	int		   *stack = work + n;

	for (int i = 0; i < n; i++)
		reaches[i] = causes[i] = MARKOV_DEFINED;
	markov_mark(graph, target, -1, 0, reaches, stack);
	/* who comes to where there is no way to the target any more misses it */
	for (int i = 0; i < n; i++)
		if (reaches[i] == MARKOV_DEFINED && unknown[i] == MARKOV_DEFINED)
			markov_mark(graph, i, target, MARKOV_UNCERTAIN, causes, stack);
	for (int i = 0; i < n; i++)
		if (i != target && !markov_graph_row_known(n, p, i))
			markov_mark(graph, i, target, i, causes, stack);
	for (int i = 0; i < n; i++)
		if (reaches[i] == MARKOV_DEFINED && unknown[i] == MARKOV_DEFINED)
			causes[i] = MARKOV_NEVER;
	if (!markov_graph_row_known(n, p, target))
		causes[target] = target;
}

int
markov_unknown_within(int n, const double *p, int from, int64_t steps, int *work)
{
	int		   *distance = work;
	int		   *queue = work + n;
	int			head = 0;
	int			tail = 0;
	int			first = MARKOV_DEFINED;

	for (int i = 0; i < n; i++)
		distance[i] = -1;
	distance[from] = 0;
	queue[tail++] = from;
	while (head < tail)
	{
		int			at = queue[head++];

		if (!markov_graph_row_known(n, p, at) && (first < 0 || at < first))
			first = at;
		for (int j = 0; j < n && distance[at] < steps; j++)
		{
			if (!(ROW(p, n, at)[j] > 0) || distance[j] >= 0)
				continue;
			distance[j] = distance[at] + 1;
			queue[tail++] = j;
		}
	}
	return first;
}
