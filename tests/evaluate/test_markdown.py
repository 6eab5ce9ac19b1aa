import numpy as np

from pixelmine.evaluate import evaluate


def markdown(labels, truth, probabilities):
    uris = [f"file:///secret/folder/{i}%20x.jpg" for i in range(len(truth))]
    return evaluate(labels, np.array(truth), np.array(probabilities), uris, uris).to_markdown()


def test_every_table_has_as_many_cells_as_its_head():
    text = markdown(["a", "b|c", "never"], [0, 1, 1], [[0.9, 0.1, 0], [0.8, 0.2, 0], [0, 1.0, 0]])
    for table in text.replace("\\|", "").split("\n\n"):
        lines = [line for line in table.splitlines() if line.startswith("|")]
        assert len({line.count("|") for line in lines}) <= 1
    assert "accuracy | 66.7% (20.8% to 93.9%)" in text
    assert "Classes without a test picture: 1" in text


def test_a_picture_is_named_without_its_folder():
    text = markdown(["a", "b"], [0], [[0.3, 0.7]])
    assert "| 0 x.jpg | a | b | 70.0% |" in text
    assert "secret" not in text


def test_a_label_is_text_and_nothing_else():
    text = markdown(["<script>", "[x](http://y)\n# z"], [0, 1], [[1.0, 0], [0, 1.0]])
    assert "\\<script\\>" in text
    assert "\\[x\\](http://y) # z" in text


def test_many_classes_give_pairs():
    labels = [f"c{i}" for i in range(31)]
    probabilities = np.eye(31)[[1, 1]]
    text = markdown(labels, [0, 1], probabilities)
    assert "## Most confused" in text
    assert "| c0 | c1 | 1 |" in text


def test_means_slices_and_areas_are_there():
    probabilities = np.tile([[0.8, 0.2], [0.3, 0.7], [0.6, 0.4]], (10, 1))
    truth = np.array([0, 1, 1] * 10)
    ids = [str(i) for i in range(30)]
    columns = {"camera": ["phone", "phone", "web|cam"] * 10}
    text = evaluate(["a", "b"], truth, probabilities, ids, ids, columns=columns).to_markdown()
    assert "| ROC AUC (macro) | 100.0% (100.0% to 100.0%) |" in text
    assert "| camera | web\\|cam | 10 | 0.0%" in text
    assert "| a | 10 | 100.0%" in text
