// What a file in grafana/dashboards may contain, in Grafana's own types. Those leave a panel's options and queries open, because they depend on its plug-in;
// here each kind of panel in use has its plug-in's.
import type { Dashboard, DataQuery, DataSourceRef, FieldConfigSource, GraphFieldConfig, Panel, RowPanel, TableFieldOptions } from '@grafana/schema';
import type { FieldConfig as HeatmapFieldConfig, Options as HeatmapOptions } from '@grafana/schema/dist/esm/raw/composable/heatmap/panelcfg/x/HeatmapPanelCfg_types.gen';
import type { Options as StatOptions } from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type { FieldConfig as StateTimelineFieldConfig, Options as StateTimelineOptions } from '@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen';
import type { Options as TableOptions } from '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen';
import type { Options as TimeSeriesOptions } from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';

/** A type as JSON writes it: the strings of an enumeration instead of its members. */
type Json<T> = unknown extends T ? T
  : T extends string ? `${T}`
  : T extends number | boolean | null | undefined ? T
  : T extends Array<infer Item> ? Json<Item>[]
  : { [Key in keyof T]: Json<T[Key]> };

/** The Prometheus data source's query; its plug-in publishes no type. */
interface PrometheusQuery extends DataQuery {
  expr: string;
  legendFormat: string;
  format?: 'time_series' | 'table' | 'heatmap';
  instant?: boolean;
  range?: boolean;
}

type Of<Type extends string, Options, Custom> = Json<Omit<Panel, 'type' | 'options' | 'fieldConfig' | 'targets'>> & {
  type: Type;
  options: Json<Options>;
  fieldConfig: Json<Omit<FieldConfigSource, 'defaults'>> & { defaults: Json<Omit<FieldConfigSource['defaults'], 'custom'>> & { custom?: Json<Custom> } };
  targets: Json<PrometheusQuery>[];
};

type PanelInFile =
  | (Json<Omit<RowPanel, 'type' | 'panels'>> & { type: 'row'; panels: never[] })
  | Of<'stat', StatOptions, never>
  | Of<'timeseries', TimeSeriesOptions, GraphFieldConfig>
  | Of<'heatmap', HeatmapOptions, HeatmapFieldConfig>
  | Of<'state-timeline', StateTimelineOptions, StateTimelineFieldConfig>
  | Of<'table', Omit<TableOptions, 'frameIndex'>, Partial<TableFieldOptions>>;

interface PrometheusAnnotation { expr: string; titleFormat?: string; textFormat?: string; step?: string }

type Annotations = NonNullable<NonNullable<Dashboard['annotations']>['list']>[number];

export type DashboardFile = Json<Omit<Dashboard, 'panels' | 'annotations'>> & {
  panels: PanelInFile[];
  annotations: { list: (Json<Annotations> & PrometheusAnnotation)[] };
};
