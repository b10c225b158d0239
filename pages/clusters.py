"""Cluster buildouts: who has how much power, where and when."""

from pages._shell.chart_block import chart_block

chart_block("clusters.power", controls=["by", "quantity", "source"])
