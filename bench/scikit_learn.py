# bench/scikit_learn.py FILE: the process that stands for scikit-learn in a race.
#
# FILE is what COPY (SELECT churned::integer::float8, c1, c2, ...) TO ... (FORMAT binary)
# wrote. The matrix is read once and kept in memory; then each line of standard
# input, "logistic" (penalised on standardised columns, as churn_model is) or
# "boost", fits it, and the milliseconds of the fit alone are printed. Any error is
# printed in their place.
# Never: part of the extension or of its tests.
import sys
import time

import numpy
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

HEADER = 19     # signature, flags, length of the extension


def matrix(path):
    with open(path, 'rb') as file:
        data = file.read()
    columns = int.from_bytes(data[HEADER:HEADER + 2], 'big')
    row = numpy.dtype([('n', '>i2')] + [part for i in range(columns) for part in ((f'l{i}', '>i4'), (f'v{i}', '>f8'))])
    rows = numpy.frombuffer(data, row, (len(data) - HEADER - 2) // row.itemsize, HEADER)
    y = rows['v0'].astype(numpy.int8)
    x = numpy.empty((len(rows), columns - 1))
    for i in range(1, columns):
        x[:, i - 1] = rows[f'v{i}']
    return x, y


x, y = matrix(sys.argv[1])
models = {
    'logistic': lambda: make_pipeline(StandardScaler(), LogisticRegression(C=1.0)),
    'boost': lambda: HistGradientBoostingClassifier(max_iter=100, max_depth=3, early_stopping=False),
}
for line in sys.stdin:
    try:
        model = models[line.strip()]()
        start = time.perf_counter()
        model.fit(x, y)
        print(f'{1000 * (time.perf_counter() - start):.3f}', flush=True)
    except Exception as error:
        print(error, flush=True)
