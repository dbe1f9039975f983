/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include <nhrp/config.h>
#include <nhrp/event.h>
#include <nhrp/label.h>

#include <string.h>

nhrp_rc nhrp_config_init(nhrp_config *cfg)
{
    if (!cfg)
        return NHRP_ERR_ARG;
    memset(cfg, 0, sizeof(*cfg));
    cfg->struct_size = sizeof(*cfg);
    cfg->vendor_oui = NHRP_OUI_DEFAULT;
    cfg->first_registration_id = 1;
    cfg->max_interfaces = 64;
    cfg->max_links = 10000;
    cfg->max_mappings = 100000;
    cfg->max_pending = 1000;
    cfg->max_pending_per_link = 100;
    cfg->max_questions = 1000;
    cfg->max_questions_per_link = 64;
    cfg->max_answers = 10000;
    cfg->max_flows = 4096;
    cfg->max_outputs = 4096;
    cfg->max_events = 256;
    cfg->max_work = 64;
    cfg->retransmit_ms = 1000;
    cfg->retransmit_max_ms = 64000;
    cfg->max_transmissions = 4;
    cfg->question_wait_ms = 2000;
    cfg->tunnel_wait_ms = 3000;
    cfg->tunnel_initiate_ms = 10000;
    cfg->negative_ms = 60000;
    cfg->negative_max_ms = 960000;
    cfg->redirect_interval_ms = 8000;
    cfg->max_answers_per_link = 1000;
    cfg->max_flows_per_link = 1024;
    cfg->max_outputs_per_link = 1024;
    cfg->max_questions_per_requester = 16;
    cfg->silent_ms = 5000;
    cfg->max_servers = 1000;
    cfg->max_multicast = 1000;
    return NHRP_OK;
}

nhrp_rc nhrp_interface_config_init(nhrp_interface_config *cfg)
{
    if (!cfg)
        return NHRP_ERR_ARG;
    memset(cfg, 0, sizeof(*cfg));
    cfg->struct_size = sizeof(*cfg);
    cfg->flags = NHRP_INTERFACE_REDIRECT | NHRP_INTERFACE_SHORTCUT | NHRP_INTERFACE_TUNNEL_FIRST;
    cfg->send_limit = 100;
    cfg->send_interval_ms = 10000;
    cfg->max_packet_size = 1400;
    cfg->holding_time_s = 600;
    cfg->hop_count = 255;
    return NHRP_OK;
}

nhrp_rc nhrp_link_config_init(nhrp_link_config *cfg)
{
    if (!cfg)
        return NHRP_ERR_ARG;
    memset(cfg, 0, sizeof(*cfg));
    cfg->struct_size = sizeof(*cfg);
    return NHRP_OK;
}

nhrp_rc nhrp_route_init(nhrp_route *route)
{
    if (!route)
        return NHRP_ERR_ARG;
    memset(route, 0, sizeof(*route));
    route->struct_size = sizeof(*route);
    return NHRP_OK;
}
